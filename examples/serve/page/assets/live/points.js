// The part of the list that has the publishing points.

import { element, name, replace, table } from '../dom.js';
import { failure } from '../failure.js';
import * as state from '../state.js';
import { bitrate, length, plain, size } from '../words.js';
import { Buttons } from './buttons.js';
import { ago, archiveOf, latency, sinceNewest, stateOf } from './state.js';
import { Watch } from './watch.js';

const POINTS = [
  { title: 'Publishing point' },
  { title: 'State' },
  { title: 'Encoders' },
  { title: 'Coming in', class: 'number' },
  { title: 'Newest chunk', class: 'number' },
  { title: 'Latency', class: 'number' },
  { title: 'Gaps', class: 'number' },
  { title: 'Archive', class: 'number' },
  { title: 'Memory', class: 'number' },
  { title: 'Actions' },
];

/** The publishing points; hidden if there are none. */
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
      ago(sinceNewest(point)),
      length(latency(point) ?? NaN),
      plain(tracks.reduce((sum, track) => sum + track.gaps, 0)),
      archiveOf(point),
      size(point.memory + point.held_bytes),
    ];
    texts.forEach((text, place) => replace(this.#cells[place], text));
    this.#buttons.show(point);
  }
}
