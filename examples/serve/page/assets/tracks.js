// The streams and their tracks as a table.

import { element, name, table } from './dom.js';
import { FileHead } from './head.js';
import { decodes } from './play/abilities.js';
import { bitrate, count, plain, size } from './words.js';

const COLUMNS = [
  { title: 'Track' },
  { title: 'Codec' },
  { title: 'Form' },
  { title: 'Declared', class: 'number' },
  { title: 'Measured', class: 'number' },
  { title: 'Peak', class: 'number' },
  { title: 'Size', class: 'number' },
  { title: 'File' },
  { title: 'Protection' },
];

export function tracks({ name: title, streams }) {
  return streams.map((stream) => streamOf(title, stream));
}

function streamOf(title, stream) {
  const head = new FileHead(title);
  const caption = `Tracks of ${stream.name || stream.type}`;
  return element(
    'div', { class: 'stream' },
    element('h3', {},
      element('span', { class: `kind ${stream.type}` }, stream.type), ' ', name(stream.name || stream.type),
      element('span', { class: 'faint' }, ` ${about(stream)}`)),
    element('div', { class: 'wide', role: 'region', 'aria-label': caption, tabindex: '0' },
      table(caption, COLUMNS, stream.tracks.map((track) => row(stream, track, head)))),
    head.root,
  );
}

function about({ language, language_words: words, role, fragments, timescale }) {
  return [words ? `${words} (${language})` : language, role, count(fragments, 'fragment'), `timescale ${plain(timescale)}`]
    .filter(Boolean).join(' · ');
}

function row(stream, track, head) {
  const codec = track.rfc6381 ?? track.fourcc;
  const plays = decodes(stream.type, track);
  return element(
    'tr', {},
    element('th', { scope: 'row' }, name(track.name ?? `track ${track.id ?? ''}`)),
    element('td', {}, name(track.codec ?? '–'), element('br'), element('code', {}, name(codec ?? '')),
      plays === false && element('div', { class: 'warn' }, 'not decoded by this browser')),
    element('td', {}, form(track)),
    element('td', { class: 'number' }, bitrate(track.bitrate)),
    element('td', { class: 'number' }, bitrate(track.measured_bitrate)),
    element('td', { class: 'number' }, bitrate(track.peak_bitrate)),
    element('td', { class: 'number' }, size(track.size)),
    element('td', {}, track.file && track.id !== null ? head.button(track.file) : name(track.file ?? '–')),
    element('td', {}, track.encrypted ?? 'none'),
  );
}

function form({ width, height, frame_rate: rate, channels, sampling_rate: sampling, language }) {
  return [
    width && height && `${width} × ${height}`,
    rate && `${Number(rate.toFixed(3))} fps`,
    channels && count(channels, 'channel'),
    sampling && `${sampling / 1000} kHz`,
    language,
  ].filter(Boolean).join(', ') || '–';
}
