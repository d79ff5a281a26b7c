// The live part of one publishing point: its encoders, its tracks, its archive, and what the log said of it.

import { element, name, replace, table } from '../dom.js';
import { failure } from '../failure.js';
import { prose } from '../prose.js';
import { bitrate, count, length, plain, size } from '../words.js';
import { Buttons } from './buttons.js';
import { ago, edge, sinceNewest, stateOf, troubles } from './state.js';
import { Watch } from './watch.js';

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
  { title: 'Newest', class: 'number' },
  { title: 'Latency', class: 'number' },
  { title: 'Gaps', class: 'number' },
  { title: 'Duplicates', class: 'number' },
  { title: 'Dropped', class: 'number' },
];

/** The live part of one publishing point; hidden if there is no such point. */
export class LivePart {
  #title;
  #facts = element('div', { class: 'tools' });
  #troubles = element('div', { class: 'troubles', role: 'status' });
  #missing = element('p', { class: 'warn' });
  #encoders = element('div', { class: 'wide', role: 'region', 'aria-label': 'Encoders', tabindex: '0' });
  #tracks = element('div');
  #noticed = element('summary');
  #notices = element('ul');
  #message = element('div');
  #buttons;
  #watch;
  #on;
  #edge = null;
  #seen = null;

  /** `on.changed()` is called when the point has other tracks, another state, or another event. */
  constructor(title, on) {
    this.#title = title;
    this.#on = on;
    this.#buttons = new Buttons(title, () => this.#watch.now());
    this.root = element(
      'section', { class: 'live-part', id: 'live', hidden: true, 'aria-labelledby': 'live-title' },
      element('h2', { id: 'live-title' }, 'Live'),
      this.#message,
      element('div', { class: 'tools' }, this.#facts, this.#buttons.root),
      this.#troubles, this.#missing,
      element('h3', {}, 'Encoders'), this.#encoders,
      element('h3', {}, 'Tracks'), this.#tracks,
      element('details', { class: 'live-notices' }, this.#noticed, this.#notices),
    );
    this.#watch = new Watch((live, error) => this.#show(live, error));
  }

  close() {
    this.#watch.close();
  }

  /** The end of the newest chunk, in seconds of media time; `null` if it is not known. */
  get edge() {
    return this.#edge;
  }

  #show(live, error) {
    replace(this.#message, error && !this.root.hidden && failure(error));
    if (!live) return;
    const same = (point) => point.name.toLowerCase() === this.#title.toLowerCase();
    const point = live.points.find(same);
    this.root.hidden = !point;
    this.#edge = point ? edge(point) : null;
    if (!point) return;
    replace(this.#facts, facts(point));
    this.#showTroubles(point);
    this.#missing.hidden = point.missing.length === 0;
    replace(this.#missing, 'Announced, and not here yet: ', point.missing.map((of, at) => [at > 0 && ', ', name(of)]));
    replace(this.#encoders, point.encoders.length > 0
      ? table('Encoders', ENCODERS, point.encoders.map(encoderOf))
      : element('p', { class: 'faint' }, 'Nothing was pushed yet.'));
    this.#showStreams(point.streams);
    this.#showNotices(point.notices ?? []);
    this.#buttons.show(point);
    this.#tell(point);
  }

  // The same sentences are not replaced: a screen reader would say them again.
  #showTroubles(point) {
    const found = troubles(point).map(({ what }) => what);
    const shown = [...this.#troubles.children].map((one) => one.textContent);
    if (JSON.stringify(found) !== JSON.stringify(shown)) replace(this.#troubles, found.map((what) => element('p', { class: 'warn' }, name(what))));
  }

  // The tables are made anew: each keeps the focus of the keyboard, and the place to which it is scrolled.
  #showStreams(streams) {
    const regions = () => [...this.#tracks.querySelectorAll('.wide')];
    const before = regions();
    const focused = before.indexOf(document.activeElement);
    const scrolled = before.map((region) => region.scrollLeft);
    replace(this.#tracks, streams.map((stream) => streamOf(stream)));
    regions().forEach((region, at) => {
      if (scrolled[at] > 0) region.scrollLeft = scrolled[at];
      if (at === focused) region.focus({ preventScroll: true });
    });
  }

  #showNotices(notices) {
    this.#noticed.parentNode.hidden = notices.length === 0;
    const warnings = notices.filter((notice) => notice.is_warning).length;
    replace(this.#noticed, `Last notices: ${count(notices.length - warnings, 'note')}, ${count(warnings, 'warning')}`);
    replace(this.#notices, notices.map((notice) => element(
      'li', { class: notice.is_warning && 'warning' },
      element('span', { class: 'faint' }, ago(notice.seconds_ago)), notice.is_warning ? ' Warning: ' : ' ', prose(notice.what),
    )));
  }

  #tell(point) {
    const tracks = point.streams.map(({ kind, name: of, tracks: all }) => [kind, of, all.map((track) => [track.bitrate, track.language, track.fragments > 0])]);
    const seen = JSON.stringify([point.state, point.events, point.shown_snapshot > 0, point.archive?.films_due, tracks]);
    if (this.#seen !== null && this.#seen !== seen) this.#on.changed();
    this.#seen = seen;
  }
}

function facts(point) {
  const { archive } = point;
  const [newest, failed] = [sinceNewest(point), archive?.failure];
  return [
    stateOf(point),
    element('span', {}, point.event ? ['event ', name(point.event)] : count(point.events, 'event')),
    newest !== null && element('span', {}, `newest chunk ${ago(newest)}`),
    point.shown_seconds !== null && element('span', {}, `players have snapshot ${plain(point.shown_snapshot)} of ${plain(point.snapshot)}, shown ${ago(point.shown_seconds)}`),
    point.waits_seconds !== null && point.waits_seconds >= 1 && element('span', { class: 'warn' }, `the next one has waited for the archive for ${length(Math.round(point.waits_seconds))}`),
    element('span', {}, `${size(point.memory)} in memory`),
    element('span', {}, `${size(point.held_bytes)} held back`),
    archive && element('span', {}, archive.waiting_bytes > 0 ? `${size(archive.waiting_bytes)} wait for the archive` : 'the archive has all'),
    archive?.films_due > 0 && element('span', {}, `${count(archive.films_due, 'film')} to be made`),
    failed?.is_past && element('span', { class: 'faint' }, `the archive failed ${ago(failed.seconds_ago)}: `, name(failed.what)),
    point.drift_seconds !== null && element('span', {}, driftOf(point.drift_seconds)),
  ];
}

function driftOf(seconds) {
  const by = `${Math.abs(seconds).toFixed(1)} s`;
  return `media ${by} ${seconds < 0 ? 'ahead of' : 'behind'} the clock since the event began`;
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
        [plain(track.fragments), ago(track.newest_seconds), length(track.latency_seconds), plain(track.gaps), plain(track.duplicates), plain(track.dropped)]
          .map((text) => element('td', { class: 'number' }, text)),
      )))),
  );
}
