// Publishing points: what encoders push, as the server says it every other second.

import { ask, send } from './api.js';
import { element, name, replace, table } from './dom.js';
import { failure } from './failure.js';
import * as state from './state.js';
import { bitrate, count, length, plain, size } from './words.js';

const AGAIN = 2000; // milliseconds

const POINTS = [
  { title: 'Publishing point' },
  { title: 'State' },
  { title: 'Encoders' },
  { title: 'Coming in', class: 'number' },
  { title: 'Latency', class: 'number' },
  { title: 'Gaps', class: 'number' },
  { title: 'Memory', class: 'number' },
  { title: 'Actions' },
];

const ENCODERS = [
  { title: 'Encoder' },
  { title: 'Stream' },
  { title: 'Connected' },
  { title: 'Coming in', class: 'number' },
  { title: 'Silent for', class: 'number' },
  { title: 'Pushes', class: 'number' },
];

const TRACKS = [
  { title: 'Track' },
  { title: 'Bitrate', class: 'number' },
  { title: 'Fragments', class: 'number' },
  { title: 'Latency', class: 'number' },
  { title: 'Gaps', class: 'number' },
  { title: 'Duplicates', class: 'number' },
  { title: 'Dropped', class: 'number' },
];

/** Asks for the publishing points again and again, while somebody looks. */
class Watch {
  #show;
  #timer = 0;
  #asked = null;

  constructor(show) {
    this.#show = show;
    this.now();
  }

  close() {
    clearTimeout(this.#timer);
    this.#asked?.abort();
    this.#show = null;
  }

  async now() {
    clearTimeout(this.#timer);
    this.#asked?.abort();
    const asked = new AbortController();
    this.#asked = asked;
    let goesOn = true;
    try {
      if (!document.hidden) {
        const live = await ask('live', {}, { signal: asked.signal });
        goesOn = live.is_on;
        this.#show?.(live, null);
      }
    } catch (error) {
      if (error.name === 'AbortError') return;
      this.#show?.(null, error);
    }
    if (goesOn && this.#show && this.#asked === asked) this.#timer = setTimeout(() => this.now(), AGAIN);
  }
}

/** The buttons of a point, which stay while its numbers change. */
class Buttons {
  #title;
  #changed;
  #start = element('button', { type: 'button', onclick: () => this.#send('start') }, 'Start');
  #stop = element('button', { type: 'button', onclick: () => this.#send('stop') }, 'Stop');
  #message = element('span', { class: 'warn', role: 'status' });

  constructor(title, changed) {
    this.#title = title;
    this.#changed = changed;
    this.#start.setAttribute('aria-label', `Start ${title}`);
    this.#stop.setAttribute('aria-label', `Stop ${title}`);
    this.root = element('div', { class: 'buttons' }, this.#start, this.#stop, this.#message);
  }

  show(of) {
    const isStopped = ['stopped', 'stopping'].includes(of.state);
    this.#start.disabled = !isStopped;
    this.#stop.disabled = isStopped;
  }

  async #send(what) {
    this.#start.disabled = true;
    this.#stop.disabled = true;
    try {
      await send(`live/${what}`, { name: this.#title });
      replace(this.#message);
    } catch (error) {
      replace(this.#message, error.what ?? error.message);
    }
    this.#changed();
  }
}

/** The part of the list that has the publishing points; hidden if there are none. */
export class LivePoints {
  #rows = new Map();
  #body = element('tbody');
  #message = element('div');
  #watch;

  constructor() {
    const points = table('Publishing points', POINTS, []);
    points.querySelector('tbody').replaceWith(this.#body);
    this.root = element(
      'section', { class: 'live-points', hidden: true, 'aria-labelledby': 'live-title' },
      element('h2', { id: 'live-title' }, 'Live'),
      this.#message,
      element('div', { class: 'wide', role: 'region', 'aria-label': 'Publishing points', tabindex: '0' }, points),
    );
    this.#watch = new Watch((live, error) => this.#show(live, error));
  }

  close() {
    this.#watch.close();
  }

  #show(live, error) {
    replace(this.#message, error && !this.root.hidden && failure(error));
    if (!live) return;
    this.root.hidden = live.points.length === 0;
    const names = new Set(live.points.map((point) => point.name));
    for (const [title, row] of this.#rows) {
      if (names.has(title)) continue;
      row.root.remove();
      this.#rows.delete(title);
    }
    for (const point of live.points) {
      if (!this.#rows.has(point.name)) this.#rows.set(point.name, new Row(point.name, () => this.#watch.now()));
      const row = this.#rows.get(point.name);
      row.show(point);
      if (!row.root.isConnected || this.#body.lastElementChild !== row.root) this.#place(live, row);
    }
  }

  // In the order of the server, without taking the focus from a button.
  #place(live, row) {
    if (row.root.parentNode === this.#body) return;
    const rows = live.points.map((point) => this.#rows.get(point.name)?.root);
    const next = rows.slice(rows.indexOf(row.root) + 1).find((other) => other?.parentNode === this.#body);
    this.#body.insertBefore(row.root, next ?? null);
  }
}

class Row {
  #cells = POINTS.slice(1, -1).map((column) => element('td', { class: column.class }));
  #buttons;

  constructor(title, changed) {
    this.#buttons = new Buttons(title, changed);
    this.root = element(
      'tr', {},
      element('th', { scope: 'row' }, element('a', { href: state.addressOf(title) }, name(title))),
      this.#cells, element('td', {}, this.#buttons.root),
    );
  }

  show(point) {
    const connected = point.encoders.filter((encoder) => encoder.is_connected).length;
    const tracks = point.streams.flatMap((stream) => stream.tracks);
    const texts = [
      stateOf(point),
      `${plain(connected)} of ${plain(point.encoders.length)}`,
      bitrate(point.encoders.reduce((sum, encoder) => sum + encoder.bits_per_second, 0)),
      tracks.length > 0 ? length(Math.max(...tracks.map((track) => track.latency_seconds))) : '–',
      plain(tracks.reduce((sum, track) => sum + track.gaps, 0)),
      size(point.memory + point.held_bytes),
    ];
    texts.forEach((text, place) => replace(this.#cells[place], text));
    this.#buttons.show(point);
  }
}

/** The live part of one publishing point; hidden if there is no such point. */
export class LivePart {
  #title;
  #facts = element('div', { class: 'tools' });
  #missing = element('p', { class: 'warn' });
  #encoders = element('div', { class: 'wide', role: 'region', 'aria-label': 'Encoders', tabindex: '0' });
  #tracks = element('div');
  #message = element('div');
  #buttons;
  #watch;
  #on;
  #snapshot = null;

  constructor(title, on) {
    this.#title = title;
    this.#on = on;
    this.#buttons = new Buttons(title, () => this.#watch.now());
    this.root = element(
      'section', { class: 'live-part', id: 'live', hidden: true, 'aria-labelledby': 'live-title' },
      element('h2', { id: 'live-title' }, 'Live'),
      this.#message,
      element('div', { class: 'tools' }, this.#facts, this.#buttons.root),
      this.#missing,
      element('h3', {}, 'Encoders'), this.#encoders,
      element('h3', {}, 'Tracks'), this.#tracks,
    );
    this.#watch = new Watch((live, error) => this.#show(live, error));
  }

  close() {
    this.#watch.close();
  }

  #show(live, error) {
    replace(this.#message, error && !this.root.hidden && failure(error));
    if (!live) return;
    const same = (point) => point.name.toLowerCase() === this.#title.toLowerCase();
    const point = live.points.find(same);
    this.root.hidden = !point;
    if (!point) return;
    replace(
      this.#facts, stateOf(point),
      element('span', {}, point.event ? `event ${point.event}` : count(point.events, 'event')),
      element('span', {}, `${size(point.memory)} in memory`),
      element('span', {}, `${size(point.held_bytes)} held back`),
      point.drift_seconds !== null && element('span', {}, driftOf(point.drift_seconds)),
    );
    this.#missing.hidden = point.missing.length === 0;
    replace(this.#missing, `Announced, and not here yet: ${point.missing.join(', ')}`);
    replace(this.#encoders, point.encoders.length > 0
      ? table('Encoders', ENCODERS, point.encoders.map(encoderOf))
      : element('p', { class: 'faint' }, 'Nothing was pushed yet.'));
    replace(this.#tracks, point.streams.map((stream) => streamOf(stream)));
    this.#buttons.show(point);
    if (this.#snapshot === 0 && point.snapshot > 0) this.#on.published();
    this.#snapshot = point.snapshot;
  }
}

function stateOf({ state: of }) {
  return element('span', { class: `state ${of}` }, of);
}

function driftOf(seconds) {
  const length = `${Math.abs(seconds).toFixed(1)} s`;
  return `media ${length} ${seconds < 0 ? 'ahead of' : 'behind'} the clock since the event began`;
}

function encoderOf(encoder) {
  return element(
    'tr', {},
    element('th', { scope: 'row' }, name(encoder.encoder || '–')),
    element('td', {}, name(encoder.stream)),
    element('td', {}, encoder.is_connected ? 'yes' : 'no',
      encoder.moved_seconds === null && element('span', { class: 'warn' }, ' of another clock')),
    element('td', { class: 'number' }, bitrate(encoder.bits_per_second)),
    element('td', { class: 'number' }, encoder.silent_seconds === null ? '–' : `${encoder.silent_seconds.toFixed(1)} s`),
    element('td', { class: 'number' }, plain(encoder.pushes)),
  );
}

function streamOf(stream) {
  const caption = `Tracks of ${stream.name || stream.kind}`;
  return element(
    'div', { class: 'live-stream' },
    element('p', {}, element('span', { class: `kind ${stream.kind}` }, stream.kind), ' ', name(stream.name),
      element('span', { class: 'faint' }, ` ${count(stream.chunks, 'chunk')}`)),
    element('div', { class: 'wide', role: 'region', 'aria-label': caption, tabindex: '0' },
      table(caption, TRACKS, stream.tracks.map((track) => element(
        'tr', {},
        element('th', { scope: 'row' }, name(track.language ?? stream.name)),
        element('td', { class: 'number' }, bitrate(track.bitrate)),
        [plain(track.fragments), length(track.latency_seconds), plain(track.gaps), plain(track.duplicates), plain(track.dropped)]
          .map((text) => element('td', { class: 'number' }, text)),
      )))),
  );
}
