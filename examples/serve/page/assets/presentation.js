// One presentation: its parts below each other.

import { Addresses } from './addresses.js';
import { ask } from './api.js';
import { element, name, replace } from './dom.js';
import { failure } from './failure.js';
import { findings } from './findings.js';
import { Fragment } from './fragment.js';
import { LivePart } from './live.js';
import { Play } from './play/play.js';
import * as state from './state.js';
import { Timeline } from './timeline/timeline.js';
import { tracks } from './tracks.js';
import { clock, count, size } from './words.js';

export class Presentation {
  #title;
  #asked = new AbortController();
  #facts = element('ul', { class: 'facts', 'aria-label': 'Facts' });
  #body = element('div', { class: 'parts' }, element('p', { class: 'faint', role: 'status' }, 'Opening …'));
  #timelinePart = element('div', { class: 'timeline-part' }, element('p', { class: 'faint', role: 'status' }, 'Reading the timeline …'));
  #live = null;
  #fragment;
  #timeline = null;
  #play = null;

  constructor(wanted) {
    this.#title = wanted.title;
    this.#fragment = new Fragment(wanted.title, {
      choose: (place) => this.#choose(place),
      canPlay: () => this.#play?.canPlay ?? false,
      seek: (seconds) => this.#seek(seconds),
    });
    if (/\.isml$/i.test(wanted.title)) this.#live = new LivePart(wanted.title, { published: () => this.#open() });
    this.root = element(
      'article', { class: 'presentation' },
      element('p', { class: 'back' }, element('a', { href: '/' }, '← Presentations')),
      element('h1', { tabindex: '-1' }, name(wanted.title)),
      this.#facts,
      this.#live && element('div', { class: 'parts' }, this.#live.root), this.#body,
    );
    this.#open();
  }

  update(wanted) {
    this.#timeline?.update(wanted);
    this.#showFragment(wanted);
  }

  close() {
    this.#asked.abort();
    this.#live?.close();
    this.#timeline?.close();
    this.#play?.close();
    this.#fragment.close();
  }

  async #open() {
    const { signal } = this.#asked;
    const query = { name: this.#title };
    const timeline = ask('timeline', query, { signal }); // asked at once, shown below
    timeline.catch(() => {});
    let presentation;
    try {
      presentation = await ask('presentation', query, { signal });
    } catch (error) {
      if (error.name === 'AbortError') return;
      replace(this.#body, failure(error), section('findings', 'Findings', findings(error.findings ?? [])));
      return;
    }
    this.#fragment.from(presentation.base ?? null);
    replace(this.#facts, facts(presentation));
    this.#play?.close();
    this.#play = new Play(presentation, {
      position: (seconds) => this.#timeline?.position(seconds),
    });
    const found = presentation.findings ?? [];
    replace(
      this.#body,
      section('findings', 'Findings', found.length > 0 ? findings(found)
        : element('p', { class: 'good' }, '✓ Nothing found to be wrong.')),
      section('play', 'Play', this.#play.root),
      section('timeline', 'Timeline', this.#timelinePart, this.#fragment.root),
      section('tracks', 'Streams and tracks', tracks(presentation)),
      section('addresses', 'Addresses', new Addresses(presentation).root),
    );
    try {
      this.#showTimeline(await timeline, presentation);
    } catch (error) {
      if (error.name !== 'AbortError') replace(this.#timelinePart, failure(error));
    }
  }

  #showTimeline(timeline, presentation) {
    this.#timeline = new Timeline(timeline, presentation, {
      choose: (place) => this.#choose(place),
      seek: (seconds) => this.#seek(seconds),
    });
    replace(this.#timelinePart, this.#timeline.root);
    const wanted = state.read();
    this.#timeline.update(wanted);
    this.#showFragment(wanted);
  }

  #seek(seconds) {
    this.#play?.seek(seconds);
  }

  #choose(place) {
    state.change(place ?? { stream: null, track: null, fragment: null });
  }

  #showFragment({ stream, track, fragment }) {
    if (!this.#timeline) return;
    const row = stream === null || track === null ? null : this.#timeline.model.row(stream, track);
    this.#fragment.show(row && fragment !== null && fragment < row.count ? { row, fragment } : null);
  }
}

function section(id, title, ...children) {
  if (children.every((child) => child === null)) return null;
  return element('section', { 'aria-labelledby': `${id}-title`, id }, element('h2', { id: `${id}-title` }, title), children);
}

function facts({ live, duration_seconds: seconds, size: bytes, streams, protection }) {
  const all = streams.reduce((sum, stream) => sum + stream.tracks.length, 0);
  return [
    live && element('li', { class: 'fact live' }, 'live'),
    Number.isFinite(seconds) && element('li', { class: 'fact' }, clock(seconds, seconds < 600 ? 1 : 0)),
    Number.isFinite(bytes) && element('li', { class: 'fact' }, size(bytes)),
    element('li', { class: 'fact' }, `${count(streams.length, 'stream')}, ${count(all, 'track')}`),
    (protection ?? []).map(({ system, system_id: id, key_ids: keys }) => element(
      'li', { class: 'fact locked', title: `${id}${keys?.length ? `, keys ${keys.join(', ')}` : ''}` }, `protected by ${system ?? id}`,
    )),
  ];
}
