#!/usr/bin/env node
// Prints what mp4box.js finds in files, as JSON: for each file its tracks, with codec and seconds of all samples.
//
//   tracks.mjs PARSERS FILE...

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const [parsers, ...files] = process.argv.slice(2);
const { createFile, Log } = createRequire(join(resolve(parsers), 'package.json'))('mp4box');

const tracks = (name) => {
  const faults = [];
  Log.error = Log.warn = (module, message) => faults.push(`${module}: ${message}`);
  const file = createFile();
  file.onError = (module, message) => faults.push(`${module}: ${message}`);
  const buffer = Uint8Array.from(readFileSync(name)).buffer;
  buffer.fileStart = 0;
  file.appendBuffer(buffer);
  file.flush();
  const found = file.getInfo().tracks.map(({ id, codec, timescale }) => {
    const ticks = file.getTrackSamplesInfo(id).reduce((sum, { duration }) => sum + duration, 0);
    return { codec, seconds: ticks / timescale };
  });
  return { tracks: found, faults: [...new Set(faults)].slice(0, 3) };
};

console.log(JSON.stringify(files.map(tracks)));
