#!/usr/bin/env node
// Reads the initialization segment and all segments of each track with mp4box.js, and compares each sample with that of
// the fragments of Smooth Streaming.
//
//   mp4box.mjs [--parsers FOLDER] COLLECTED...

import { createHash } from 'node:crypto';

import { check, main, same } from './judge.mjs';

/** Parses bytes; fails on an error, a warning, and on bytes that are in no box. */
const parse = (load, bytes, place) => {
  const { createFile, Log } = load('mp4box');
  const faults = [];
  Log.error = Log.warn = (module, message) => {
    // Boxes that nobody knows are served as they are stored; the presentation `dense` has one.
    if (message !== "Unknown box type: 'abcd'") faults.push(`${module}: ${message}`);
  };
  const file = createFile();
  file.onError = (module, message) => faults.push(`${module}: ${message}`);
  const buffer = Uint8Array.from(bytes).buffer;
  buffer.fileStart = 0;
  file.appendBuffer(buffer);
  file.flush();
  const visit = (box, end) => {
    check(box.start + box.size <= end, () => `${place}: ${box.type} ends outside`);
    for (const child of box.boxes ?? []) visit(child, box.start + box.size);
  };
  for (const box of file.boxes) visit(box, bytes.length);
  const total = file.boxes.reduce((sum, box) => sum + box.size, 0);
  check(total === bytes.length, () => `${place}: ${total} of ${bytes.length} bytes are in boxes`);
  check(faults.length === 0, () => `${place}: ${[...new Set(faults)].slice(0, 3).join('; ')}`);
  return file;
};

/**
 * Samples of a segment, as [decode time, composition time, duration, size, is a key sample, hash].
 *
 * One segment at a time: of several, mp4box.js 2.4.1 takes the `tfdt` of the first, and lets all others follow it.
 */
const samples = (film, load, init, url) => {
  const bytes = Buffer.concat([init, film.body(url).bytes]);
  const place = url.slice(film.url.length + 1);
  const file = parse(load, bytes, place);
  const kinds = file.boxes.map((box) => box.type).filter((kind) => /^(moov|moof|mdat)$/.test(kind));
  same(kinds, ['moov', 'moof', 'mdat'], `${place}: boxes`);
  const { tracks } = file.getInfo();
  check(tracks.length === 1, `${place}: ${tracks.length} tracks`);
  const [{ id: track, codec }] = tracks;
  const hash = ({ offset, size }) => createHash('sha1').update(bytes.subarray(offset, offset + size)).digest('hex');
  const all = file.getTrackSamplesInfo(track);
  const found = all.map((one) => [one.dts, one.cts, one.duration, one.size, one.is_sync, hash(one)]);
  return { codec, found };
};

/** The same, as the fragment of Smooth Streaming and the time in the Smooth manifest have it. */
const wanted = (start, timescale, media, chunk) => {
  // The first sample is shown when the chunk begins, to the nearest tick. Times may be larger than 2^53.
  const scale = BigInt(timescale);
  const begin = Number((BigInt(start) * BigInt(media.timescale) * 2n + scale) / (scale * 2n));
  const first = chunk[0][1];
  let decoded = begin;
  return chunk.map(([duration, offset, size, isSync, hash]) => {
    const sample = [decoded, decoded + offset - first, duration, size, isSync, hash];
    decoded += duration;
    return sample;
  });
};

const judge = (film, load) => {
  let compared = 0;
  for (const { stream, track } of film.tracks('video', 'audio')) {
    const { timescale, chunks } = stream;
    const representation = film.representations.find(({ id }) => id === track.rendition);
    check(representation, `${track.rendition} is not in the MPD`);
    same(representation.media.length, chunks.length, `${track.rendition}: segments`);
    const init = film.body(representation.init).bytes;
    chunks.forEach(([start], nth) => {
      const { codec, found } = samples(film, load, init, representation.media[nth]);
      const expected = wanted(start, timescale, track.media, track.media.chunks[nth]);
      same(found.length, expected.length, `${track.rendition}/${start}: samples`);
      found.forEach((sample, at) => same(sample, expected[at], `${track.rendition}/${start}, sample ${at}`));
      if (track.codec && !film.protection) same(codec.toLowerCase(), track.codec, `${track.rendition}: codec`);
      compared += found.length;
    });
  }
  // Key frames alone, and text: all of it can be parsed.
  const others = Object.keys(film.bodies).filter((url) => /\.(m4s|mp4)$/.test(url));
  for (const url of others) parse(load, film.body(url).bytes, url.slice(film.url.length));
  return `${compared} samples equal those of the fragments; ${others.length} bodies are boxes`;
};

await main({ 'mp4box.js': judge });
