// What the judges in JavaScript share: arguments, expectations and the printed line.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

export class Failed extends Error {}

/** Fails with a message unless `is` holds. */
export const check = (is, message) => {
  if (!is) throw new Failed(typeof message === 'function' ? message() : message);
};

/** Fails unless two values are the same, as JSON. */
export const same = (found, wanted, place) => {
  const [one, other] = [JSON.stringify(found), JSON.stringify(wanted)];
  check(one === other, () => `${place}: ${String(one).slice(0, 300)} instead of ${String(other).slice(0, 300)}`);
};

/** Fails unless two numbers are nearly the same. */
export const near = (found, wanted, tolerance, place) =>
  check(Math.abs(found - wanted) <= tolerance, () => `${place}: ${found} instead of ${wanted}`);

/** A presentation that collect.py has collected. */
class Film {
  constructor(folder) {
    this.folder = folder;
    Object.assign(this, JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')));
  }

  /** Tracks that players are offered: those of sound and pictures, and text that belongs to no other stream. */
  tracks(...kinds) {
    const streams = this.streams.filter((stream) => kinds.includes(stream.kind) && !stream.is_sparse);
    return streams.flatMap((stream) => stream.tracks.map((track) => ({ stream, track })));
  }

  /** Length and bytes of what was served at a URL. */
  body(url) {
    const body = this.bodies[url];
    check(body, () => `${url}: named by nothing else`);
    check(body.status === 200, () => `${url}: status ${body.status}`);
    return { size: body.size, type: body.type, bytes: readFileSync(join(this.folder, body.file)) };
  }

  text(name) {
    return this.body(`${this.url}/${name}`).bytes.toString('utf8');
  }
}

/** Runs `PROGRAM [--parsers FOLDER] COLLECTED...`: one line per judge and presentation. */
export const main = async (judges) => {
  const folders = process.argv.slice(2);
  let parsers = join(import.meta.dirname, '../../target/parsers');
  if (folders[0] === '--parsers') [, parsers] = folders.splice(0, 2);
  parsers = resolve(parsers);
  const load = createRequire(join(parsers, 'package.json'));
  let failed = 0;
  for (const [name, judge] of Object.entries(judges)) {
    for (const folder of folders) {
      const film = new Film(folder);
      let word = 'passed';
      let seen;
      try {
        seen = await judge(film, load, parsers);
      } catch (error) {
        word = 'failed';
        seen = error instanceof Failed ? error.message : error.stack.split('\n').slice(0, 3).join(' / ');
        failed += 1;
      }
      console.log(`${word}  ${name.padEnd(12)}  ${film.path}  ${seen}`);
    }
  }
  process.exitCode = failed ? 1 : 0;
};
