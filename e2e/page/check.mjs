#!/usr/bin/env node
// Runs every check of the page, one line each; check.sh has the arguments.

import { mkdirSync } from 'node:fs';

import { browserOf, Chromium, Firefox } from './browser.mjs';
import { accessibility } from './accessibility.mjs';
import { figures } from './figures.mjs';
import { firefox } from './firefox.mjs';
import { hostile } from './hostile.mjs';
import { list } from './list.mjs';
import { live } from './live.mjs';
import { play } from './play.mjs';
import { presentation } from './presentation.mjs';
import { screenshots } from './shots.mjs';
import { timeline } from './timeline.mjs';

const [url, serve] = process.argv.slice(2);
const only = process.env.ONLY; // part of a check's name
mkdirSync(process.env.SHOTS, { recursive: true });

const chromium = await browserOf(Chromium);
const context = { url, serve, chromium, firefox: () => browserOf(Firefox) };
for (const checks of [list, presentation, timeline, play, live, hostile, accessibility, screenshots, figures, firefox]) {
  for (const [name, check] of Object.entries(checks)) {
    if (only && !name.includes(only)) continue;
    const began = Date.now();
    let result;
    try {
      result = `ok      ${name}${say(await check(context))}`;
    } catch (error) {
      result = `failed  ${name}: ${error.message.trim().split(/\n/).slice(0, 6).join(' / ')}`;
      process.exitCode = 1;
    }
    console.log(`${result}  (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  }
}
await chromium.close();

function say(seen) {
  return seen ? `: ${seen}` : '';
}
