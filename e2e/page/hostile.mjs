// A presentation whose manifests are full of names that try to be HTML, scripts or something to the left.

import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { addressOf, inPage, until } from './browser.mjs';

const TESTDATA = fileURLToPath(new URL('../../testdata', import.meta.url));
const IMAGE = '<img src=x onerror="window.hacked=1">';
const FOLDER = `<script>window.hacked=1<\u2044script> \u202Egnp.\u202C '"& ${'long'.repeat(30)}`;
const TITLE = `${FOLDER}/"><svg onload=window.hacked=1>.ism`;

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

/** Serves a copy of ladder with hostile names, and calls `use` with its URL. */
async function serveHostile(serve, use) {
  const root = mkdtempSync(join(tmpdir(), 'hostile-'));
  const server = spawn(serve, ['--listen', '127.0.0.1:0', root], { stdio: ['ignore', 'pipe', 'pipe'] });
  try {
    const file = join(root, TITLE);
    mkdirSync(dirname(file), { recursive: true });
    const names = { audio_eng: `${IMAGE}\u202Eltr ${'x'.repeat(200)}`, audio_fra: '\';alert(1)//</script>' };
    for (const kind of ['ism', 'ismc']) {
      let text = readFileSync(join(TESTDATA, `ladder/ladder.${kind}`), 'utf8');
      for (const [name, hostile] of Object.entries(names)) text = text.replaceAll(name, escaped(hostile));
      text = text.replaceAll('"eng"', `"${escaped('"><b>')}"`).replaceAll('ladder.ismc', escaped('"><svg onload=window.hacked=1>.ismc'));
      writeFileSync(file.replace(/ism$/, kind), text);
    }
    cpSync(join(TESTDATA, 'ladder/ladder.ismv'), join(root, FOLDER, 'ladder.ismv'));
    const lines = createInterface({ input: server.stdout });
    const listening = await new Promise((found, failed) => {
      const all = (line) => { const [, address] = /(127\.0\.0\.1:\d+)/.exec(line) ?? []; if (address) found(address); };
      lines.on('line', all);
      createInterface({ input: server.stderr }).on('line', all);
      server.on('exit', () => failed(new Error(`${serve} ended`)));
    });
    return await use(`http://${listening}`);
  } finally {
    server.kill();
    rmSync(root, { recursive: true });
  }
}

export const hostile = {
  'hostile names are shown as text': ({ serve, chromium }) => serveHostile(serve, (url) => inPage(chromium, async (page) => {
    await page.goto(url);
    const link = page.locator('.titles a');
    await until('it is listed', () => link.count());
    assert.ok((await link.innerText()).includes('<svg onload=window.hacked=1>'));
    await link.click();
    await page.locator('.picture').waitFor();
    const text = await page.locator('main').evaluate((main) => main.textContent);
    for (const part of [FOLDER, '<svg onload=window.hacked=1>', IMAGE]) assert.ok(text.includes(part), `no ${part}`);
    await page.goto(addressOf(url, TITLE, { stream: 1, track: 0, fragment: 1 }));
    await page.locator('.tree').first().waitFor();
    await page.screenshot({ path: join(process.env.SHOTS, 'hostile.png'), fullPage: true });
    await page.setViewportSize({ width: 390, height: 800 });
    const [wide, shown] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    assert.ok(wide <= shown, `the page is ${wide} pixels wide`);
    await page.screenshot({ path: join(process.env.SHOTS, 'hostile-phone.png'), fullPage: true });
    assert.equal(await page.evaluate(() => window.hacked), undefined);
    assert.equal(await page.locator('main img, main svg, main script, main b:not(.advice b)').count(), 0);
  })),
};
