#!/usr/bin/env node
// Reads the MPDs of presentations with mpd-parser (of video.js) and mpegdash (Python), and compares what they return with
// the Smooth manifest and with the bodies that were served.
//
//   dash.mjs [--parsers FOLDER] COLLECTED...
//
// Each parser's result is brought into one form: by the name of the MPD, its Representations with their segments, whose
// starts are in seconds from the start of the Period.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { Failed, check, main, near, same } from './judge.mjs';

const NAMES = ['manifest.mpd', 'trick.mpd'];

const withMpdParser = (film, load) => {
  const { parse } = load('mpd-parser');
  const read = (name) => {
    const faults = [];
    const options = { manifestUri: `${film.url}/${name}`, eventHandler: ({ message }) => faults.push(message) };
    const { playlists, mediaGroups } = parse(film.text(name), options);
    check(faults.length === 0, () => faults.join('; '));
    const representation = (kind, language) => (of) => ({
      id: of.attributes.NAME,
      kind,
      language,
      bandwidth: of.attributes.BANDWIDTH,
      codecs: of.attributes.CODECS,
      size: of.attributes.RESOLUTION && [of.attributes.RESOLUTION.width, of.attributes.RESOLUTION.height],
      segments: of.segments.map((one) => ({
        url: one.resolvedUri,
        map: one.map.resolvedUri,
        start: one.presentationTime,
        duration: one.duration,
      })),
    });
    const members = (type, kind) =>
      Object.values(mediaGroups[type]).flatMap((group) =>
        Object.values(group).flatMap((of) => of.playlists.map(representation(kind, of.language))),
      );
    const pictures = playlists.map(representation('video'));
    // If there are no pictures, the sound is in both lists.
    const isSound = ({ attributes }) => !attributes.RESOLUTION;
    const alone = playlists.some(isSound) ? [] : pictures;
    return [...alone, ...members('AUDIO', 'audio'), ...members('SUBTITLES', 'text')];
  };
  return Object.fromEntries(NAMES.filter((name) => film.bodies[`${film.url}/${name}`].status === 200).map((name) => [name, read(name)]));
};

const withMpegdash = (film, load, parsers) => {
  const program = join(import.meta.dirname, 'mpd.py');
  return JSON.parse(execFileSync(join(parsers, 'venv/bin/python'), [program, film.folder], { encoding: 'utf8' }));
};

/** Gets a URL that only this parser works out: mpd-parser 1.4.0 rounds times above 2^53. */
const checkRounded = async (film, url, exact) => {
  const answer = await fetch(url);
  check(answer.status === 200, () => `${url}: status ${answer.status}`);
  const body = Buffer.from(await answer.arrayBuffer());
  check(body.equals(film.body(exact).bytes), () => `${url} is not the segment ${exact}`);
};

const checkSegments = async (film, { id, segments }, { chunks, timescale }) => {
  const begins = film.tracks('video', 'audio', 'text').map(({ stream }) => stream.chunks[0][0] / stream.timescale);
  const period = Math.min(...begins);
  same(segments.length, chunks.length, `${id}: segments`);
  const name = id.replace(/\.key$/, '');
  const media = film.representations.find((of) => of.id === name).media.map((url) => url.replace(`/${name}/`, `/${id}/`));
  for (const [nth, { url, map, start, duration }] of segments.entries()) {
    film.body(map);
    const [begin, length] = chunks[nth];
    if (!film.bodies[url]) await checkRounded(film, url, media[nth]);
    else check(film.body(url).size > 0, `${url} is empty`);
    near(start, begin / timescale - period, 0.00001, `start of ${url}`);
    const next = chunks[nth + 1]?.[0] ?? begin + length;
    near(duration, (next - begin) / timescale, 0.00001, `duration of ${url}`);
  }
};

const judge = (read) => async (film, load, parsers) => {
  const found = await read(film, load, parsers);
  check(found['manifest.mpd'], 'no manifest.mpd');
  const tracks = film.tracks('video', 'audio', 'text');
  let segments = 0;
  for (const [name, representations] of Object.entries(found)) {
    const named = film.tracks('video', 'audio').map(({ track }) => track.rendition);
    const keyFrames = film.tracks('video').map(({ track }) => `${track.rendition}.key`);
    const wanted = name === 'trick.mpd' ? [...named, ...keyFrames] : named;
    const ids = representations.filter(({ kind }) => kind !== 'text').map(({ id }) => id);
    same([...ids].sort(), wanted.sort(), `${name}: Representations`);
    for (const of of representations) {
      const track = tracks.find((one) => one.track.rendition === of.id.replace(/\.key$/, ''));
      if (!track && of.kind === 'text') continue;
      check(track, `${name}: ${of.id} is of no track`);
      same(of.kind, track.stream.kind, `${name}: kind of ${of.id}`);
      // mpd-parser knows a language of sound and text only, and calls it '' if there is none.
      if (of.kind !== 'video') same(of.language || null, track.stream.language, `${name}: language of ${of.id}`);
      if (of.kind === 'video') same(of.size ?? null, track.track.size, `${name}: size of ${of.id}`);
      if (track.track.codec) same(of.codecs.toLowerCase(), track.track.codec, `${name}: codec of ${of.id}`);
      check(of.bandwidth > 0, `${name}: bandwidth of ${of.id}`);
      try {
        await checkSegments(film, of, track.stream);
      } catch (error) {
        throw error instanceof Failed ? new Failed(`${name}: ${error.message}`) : error;
      }
      segments += of.segments.length;
    }
  }
  return `${Object.entries(found).map(([name, all]) => `${all.length} of ${name}`).join(', ')}; ${segments} segments`;
};

await main({ 'mpd-parser': judge(withMpdParser), mpegdash: judge(withMpegdash) });
