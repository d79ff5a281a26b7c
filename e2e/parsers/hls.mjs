#!/usr/bin/env node
// Reads the playlists of presentations with hls-parser (strict), m3u8-parser, and m3u8 (strict; Python), and compares what
// they return with the Smooth manifest, with the bodies that were served, and with the rules of HLS.
//
//   hls.mjs [--parsers FOLDER] COLLECTED...
//
// Each parser's result is brought into one form: `multivariant` with variants, playlists of key frames, and renditions;
// `media` with one playlist per URL, whose segments have absolute URLs and their date in milliseconds since 1970.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { check, main, near, same } from './judge.mjs';

const PLAYLIST = 'application/vnd.apple.mpegurl';

/** Playlists of a film: [URL, text]. */
const playlists = (film) =>
  Object.entries(film.bodies)
    .filter(([, { type }]) => type === PLAYLIST)
    .map(([url]) => [url, film.body(url).bytes.toString('utf8')]);

/** Reads all playlists with a parser that is called once per text. */
const readWith = (film, isMultivariant, multivariant, media, parse) => {
  const found = { media: {} };
  for (const [url, text] of playlists(film)) {
    const read = parse(text);
    if (isMultivariant(read)) found.multivariant = multivariant(read);
    else found.media[url] = media(read, url);
  }
  return found;
};

const size = (resolution) => (resolution ? [resolution.width, resolution.height] : null);

const withHlsParser = (film, load) => {
  const { parse, setOptions } = load('hls-parser');
  setOptions({ strictMode: true });
  const variant = (of) => ({
    uri: of.uri,
    bandwidth: of.bandwidth,
    average: of.averageBandwidth,
    codecs: of.codecs,
    size: size(of.resolution),
    audio: of.audio[0]?.groupId,
    subtitles: of.subtitles[0]?.groupId,
  });
  const rendition = (of) => ({
    type: of.type,
    group: of.groupId,
    name: of.name,
    language: of.language,
    isDefault: of.isDefault,
    uri: of.uri,
  });
  const multivariant = ({ variants }) => {
    const renditions = variants.flatMap((of) => [...of.audio, ...of.subtitles].map(rendition));
    return {
      variants: variants.filter((of) => !of.isIFrameOnly).map(variant),
      keyFrames: variants.filter((of) => of.isIFrameOnly).map(variant),
      // Each variant has all renditions of its groups.
      renditions: [...new Map(renditions.map((of) => [`${of.group} ${of.name}`, of])).values()],
    };
  };
  const media = (read, url) => {
    let date;
    const segments = read.segments.map((of) => {
      date = of.programDateTime ? of.programDateTime.getTime() : date;
      const segment = {
        url: new URL(of.uri, url).href,
        duration: of.duration,
        map: of.map && new URL(of.map.uri, url).href,
        date,
        isDiscontinuous: Boolean(of.discontinuity),
        key: of.key?.format ?? null,
      };
      date += of.duration * 1000;
      return segment;
    });
    const isKeyFrames = Boolean(read.isIFrame);
    return { target: read.targetDuration, isWhole: read.endlist, isKeyFrames, segments };
  };
  return readWith(film, (read) => read.isMasterPlaylist, multivariant, media, parse);
};

const withM3u8Parser = (film, load) => {
  const { Parser } = load('m3u8-parser');
  const parse = (text) => {
    const parser = new Parser();
    const faults = [];
    parser.on('warn', ({ message }) => faults.push(message));
    parser.push(text);
    parser.end();
    check(faults.length === 0, () => faults.join('; '));
    return parser.manifest;
  };
  const variant = ({ uri, attributes }) => ({
    uri,
    bandwidth: attributes.BANDWIDTH,
    average: Number(attributes['AVERAGE-BANDWIDTH']),
    codecs: attributes.CODECS,
    size: size(attributes.RESOLUTION),
    audio: attributes.AUDIO,
    subtitles: attributes.SUBTITLES,
  });
  const multivariant = (read) => ({
    variants: read.playlists.map(variant),
    keyFrames: read.iFramePlaylists.map(variant),
    renditions: Object.entries(read.mediaGroups).flatMap(([type, groups]) =>
      Object.entries(groups).flatMap(([group, members]) =>
        Object.entries(members).map(([name, of]) => ({
          type,
          group,
          name,
          language: of.language,
          isDefault: of.default,
          uri: of.uri,
        })),
      ),
    ),
  });
  const media = (read, url) => ({
    target: read.targetDuration,
    isWhole: read.endList,
    isKeyFrames: Boolean(read.iFramesOnly),
    segments: read.segments.map((of) => ({
      url: new URL(of.uri, url).href,
      duration: of.duration,
      map: of.map && new URL(of.map.uri, url).href,
      date: of.programDateTime,
      isDiscontinuous: Boolean(of.discontinuity),
      // This parser keeps a key of PlayReady beside the segments.
      key: Object.keys(read.contentProtection ?? {})[0] ?? null,
    })),
  });
  return readWith(film, (read) => Boolean(read.playlists), multivariant, media, parse);
};

const withM3u8 = (film, load, parsers) => {
  const program = join(import.meta.dirname, 'playlists.py');
  return JSON.parse(execFileSync(join(parsers, 'venv/bin/python'), [program, film.folder], { encoding: 'utf8' }));
};

/** Bits per second of the largest stretch that counts: one and a half target durations at most, half of one at least. */
const peak = (film, { target, segments }) => {
  let most = 0;
  const sizes = segments.map(({ url }) => film.body(url).size);
  for (let from = 0; from < segments.length; from += 1) {
    let [bytes, seconds] = [0, 0];
    for (let to = from; to < segments.length; to += 1) {
      bytes += sizes[to];
      seconds += segments[to].duration;
      if (seconds > target * 1.5 && to > from) break;
      if (seconds >= target * 0.5) most = Math.max(most, (bytes * 8) / seconds);
    }
  }
  return most || mean(film, { segments });
};

const mean = (film, { segments }) => {
  const bytes = segments.reduce((sum, { url }) => sum + film.body(url).size, 0);
  return (bytes * 8) / segments.reduce((sum, { duration }) => sum + duration, 0);
};

/** Start of the pictures in seconds, if there are any. */
const picturesBegin = (film) => {
  const starts = film.tracks('video').map(({ stream }) => stream.chunks[0][0] / stream.timescale);
  return starts.length ? Math.min(...starts) : -Infinity;
};

/** Compares a playlist with the chunks of its stream. */
const checkMedia = (film, url, playlist, stream) => {
  const { target, segments } = playlist;
  check(playlist.isWhole, 'no EXT-X-ENDLIST');
  check(segments.length > 0, 'no segment');
  check(Number.isInteger(target), `target duration ${target}`);
  let isNext;
  for (const segment of segments) {
    const { duration } = segment;
    check(Math.round(duration) <= target, () => `${segment.url} lasts ${duration} s, more than the target ${target} s`);
    check(film.body(segment.url).size > 0, () => `${segment.url} is empty`);
    if (/\.m4s$/.test(segment.url)) film.body(segment.map);
    else check(!segment.map, 'EXT-X-MAP for text');
    if (isNext !== undefined && !segment.isDiscontinuous) near(segment.date, isNext, 1.5, `date of ${segment.url}`);
    isNext = segment.date + duration * 1000;
  }
  const longest = Math.max(...segments.map(({ duration }) => duration));
  check(target < longest + 2 || target === 1, `target ${target} for segments of ${longest} s`);
  // Sound begins with the pictures, or within 40 ms of them: its first segment may be cut or added. All later ones are
  // chunks, or silence in a gap.
  const begin = stream.kind === 'video' ? -Infinity : picturesBegin(film) + 0.04;
  const starts = stream.chunks.map(([start]) => (start / stream.timescale) * 1000).filter((ms) => ms > begin * 1000 + 1.5);
  const dates = segments.filter(({ url }) => !url.includes('/silence-')).map(({ date }) => date).filter((ms) => ms > begin * 1000 + 1.5);
  same(dates.length, starts.length, 'segments behind the start of the pictures');
  starts.forEach((start, nth) => near(dates[nth], start, 1.5, `date of segment ${nth}`));
  check(!film.protection || stream.kind === 'text' || segments.every(({ key }) => key === 'com.microsoft.playready'), 'no key');
};

const judge = (read) => (film, load, parsers) => {
  const { multivariant, media } = read(film, load, parsers);
  const { variants, keyFrames, renditions } = multivariant;
  const [video, audio] = ['video', 'audio'].map((kind) => film.tracks(kind));
  const sorted = (names) => [...new Set(names)].sort();
  const playlist = ({ uri }) => media[new URL(uri, `${film.url}/`).href];
  const named = (tracks, suffix = '.m3u8') => sorted(tracks.map(({ track }) => track.rendition + suffix));

  same(sorted(variants.map(({ uri }) => uri)), named(video.length ? video : audio), 'variants');
  same(sorted(keyFrames.map(({ uri }) => uri)), named(video, '.key.m3u8'), 'playlists of key frames');
  const sounds = renditions.filter(({ type }) => type === 'AUDIO');
  same(sorted(sounds.map(({ uri }) => uri)), named(audio), 'renditions of sound');

  const track = ({ uri }) =>
    film.tracks('video', 'audio', 'text').find((of) => of.track.rendition === uri.replace(/(\.key|\.vtt)?\.m3u8$/, ''));
  for (const group of sorted(renditions.map((of) => `${of.type} ${of.group}`))) {
    const members = renditions.filter((of) => `${of.type} ${of.group}` === group);
    same(new Set(members.map(({ name }) => name)).size, members.length, `${group}: different names`);
    check(members.filter(({ isDefault }) => isDefault).length <= 1, `${group}: several defaults`);
    same(new Set(members.map(({ uri }) => track({ uri }).stream.name)).size, members.length, `${group}: streams`);
  }
  for (const of of renditions) {
    same(of.language ?? null, track(of).stream.language, `language of ${of.uri}`);
    check(playlist(of), `no playlist ${of.uri}`);
  }
  for (const [url, of] of Object.entries(media)) {
    const uri = url.slice(film.url.length + 1);
    try {
      const { stream } = track({ uri });
      checkMedia(film, url, of, stream);
      same(of.isKeyFrames, uri.endsWith('.key.m3u8'), 'EXT-X-I-FRAMES-ONLY');
    } catch (error) {
      error.message = `${uri}: ${error.message}`;
      throw error;
    }
  }

  const ratios = { peaks: [], means: [], keyFrames: [] };
  for (const of of [...variants, ...keyFrames]) {
    const { track: quality } = track(of);
    const codecs = of.codecs.split(',');
    if (quality.codec) same(codecs[0].toLowerCase(), quality.codec, `codec of ${of.uri}`);
    same(of.size ?? null, quality.size, `size of ${of.uri}`);
    const members = sounds.filter(({ group }) => group === of.audio);
    for (const member of members) {
      const { codec } = track(member).track;
      check(!codec || codecs.some((one) => one.toLowerCase() === codec), `${of.uri} does not name ${codec}`);
    }
    const own = video.length || !members.length ? [of] : [];
    const sum = (rate) =>
      own.reduce((most, one) => most + rate(film, playlist(one)), 0) +
      Math.max(0, ...members.map((one) => rate(film, playlist(one))));
    (of.average ? ratios.peaks : ratios.keyFrames).push(of.bandwidth / sum(peak));
    check(of.bandwidth >= sum(peak), () => `${of.uri}: BANDWIDTH ${of.bandwidth}, but ${sum(peak).toFixed()} was served`);
    if (of.average) {
      ratios.means.push(of.average / sum(mean));
      check(of.average <= of.bandwidth, `${of.uri}: the average is above the peak`);
      // It counts the time of what is stored: gaps that are filled make the served mean smaller.
      const isFilled = [...own, ...members].some((one) =>
        playlist(one).segments.some(({ url }) => /\/silence-|-until-/.test(url)));
      const ratio = of.average / sum(mean);
      check(ratio > 0.95 && ratio < (isFilled ? 1.5 : 1.05), () => `${of.uri}: average of ${of.average} is ${ratio} of that served`);
    }
  }
  const range = (all) => all.length && [Math.min(...all), Math.max(...all)].map((one) => one.toFixed(3)).join(' to ');
  const segments = Object.values(media).reduce((all, of) => all + of.segments.length, 0);
  return (
    `${variants.length} variants, ${renditions.length} renditions, ${segments} segments; ` +
    `declared to served: peak ${range(ratios.peaks)}, mean ${range(ratios.means)}, key frames ${range(ratios.keyFrames)}`
  );
};

await main({
  'hls-parser': judge(withHlsParser),
  'm3u8-parser': judge(withM3u8Parser),
  'm3u8': judge(withM3u8),
});
