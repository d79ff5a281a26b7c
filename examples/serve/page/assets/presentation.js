// One presentation: its parts below each other. Those of a live event are read again while it goes on.

import { Addresses } from './addresses.js';
import { ask } from './api.js';
import { element, name, replace } from './dom.js';
import { failure } from './failure.js';
import { findings } from './findings.js';
import { Fragment } from './fragment.js';
import { LivePart } from './live/part.js';
import { Play } from './play/play.js';
import * as state from './state.js';
import { Timeline } from './timeline/timeline.js';
import { tracks } from './tracks.js';
import { clock, count, size } from './words.js';

// Milliseconds until a publishing point is read again: while its event goes on, and else. Another server may write it.
const AGAIN = 10_000;
const SELDOM = 30_000;

export class Presentation {
  #title;
  #asked = new AbortController();
  #facts = element('ul', { class: 'facts', 'aria-label': 'Facts' });
  #body = element('div', { class: 'parts' }, element('p', { class: 'faint', role: 'status' }, 'Opening …'));
  #parts = null;
  #timelinePart = element('div', { class: 'timeline-part' }, element('p', { class: 'faint', role: 'status' }, 'Reading the timeline …'));
  #asOf = element('p', { class: 'as-of', hidden: true });
  #time = element('span');
  #live = null;
  #fragment;
  #timeline = null;
  #play = null;
  #presentation = null;
  #failed = null;
  #reading = false;
  #again = null;
  #timer = 0;

  constructor(wanted) {
    this.#title = wanted.title;
    this.#fragment = new Fragment(wanted.title, {
      choose: (place) => this.#choose(place),
      canPlay: () => this.#play?.canPlay ?? false,
      seek: (seconds) => this.#seek(seconds),
    });
    if (/\.isml$/i.test(wanted.title)) this.#live = new LivePart(wanted.title, { changed: () => this.#read() });
    replace(this.#asOf, this.#time, element('button', { type: 'button', onclick: () => this.#read({ isWanted: true }) }, 'Read again'));
    this.root = element(
      'article', { class: 'presentation' },
      element('p', { class: 'back' }, element('a', { href: '/' }, '← Presentations')),
      element('h1', { tabindex: '-1' }, name(wanted.title)),
      this.#facts,
      this.#live && element('div', { class: 'parts' }, this.#live.root), this.#body,
    );
    this.#read();
  }

  update(wanted) {
    this.#timeline?.update(wanted);
    this.#showFragment(wanted);
  }

  close() {
    this.#asked.abort();
    clearTimeout(this.#timer);
    this.#live?.close();
    this.#timeline?.close();
    this.#play?.close();
    this.#fragment.close();
  }

  /** Reads the presentation and its timeline. `isWanted` if somebody has asked for that. */
  async #read({ isWanted = false } = {}) {
    clearTimeout(this.#timer);
    if (this.#reading) {
      this.#again = { isWanted: isWanted || (this.#again?.isWanted ?? false) };
      return;
    }
    this.#reading = true;
    await this.#readOnce(isWanted);
    this.#reading = false;
    if (this.#asked.signal.aborted) return;
    const again = this.#again;
    this.#again = null;
    if (again) this.#read(again);
    else if (this.#live) this.#readLater();
  }

  #readLater() {
    const look = () => (document.hidden ? this.#readLater() : this.#read());
    this.#timer = setTimeout(look, this.#presentation?.live ? AGAIN : SELDOM);
  }

  async #readOnce(isWanted) {
    const { signal } = this.#asked;
    const query = { name: this.#title };
    const timeline = ask('timeline', query, { signal }); // asked at once, shown below
    timeline.catch(() => {});
    let presentation;
    try {
      presentation = await ask('presentation', query, { signal });
    } catch (error) {
      if (error.name !== 'AbortError') this.#showFailure(error);
      return;
    }
    const before = this.#presentation;
    const isOther = before !== null && form(before) !== form(presentation);
    this.#presentation = presentation;
    this.#show(presentation, isOther);
    try {
      this.#showTimeline(await timeline, presentation, isWanted || isOther);
    } catch (error) {
      if (error.name !== 'AbortError' && !this.#timeline) replace(this.#timelinePart, failure(error));
    }
  }

  // What was read before stays.
  #showFailure(error) {
    if (this.#presentation || this.#failed === error.message) return;
    this.#failed = error.message;
    replace(this.#body, failure(error), section('findings', 'Findings', findings(error.findings ?? [])));
  }

  #show(presentation, isOther) {
    this.#fragment.from(presentation.base ?? null);
    replace(this.#facts, facts(presentation));
    if (!this.#play || (isOther && !this.#play.isRunning)) {
      this.#play?.close();
      this.#play = new Play(presentation, {
        position: (place) => this.#showPosition(place),
        behind: (media) => this.#behind(media),
      });
    }
    this.#play.renew(presentation);
    if (!this.#parts) {
      this.#parts = { findings: new Part(), play: new Part(), tracks: new Part(), addresses: new Part() };
      replace(
        this.#body,
        section('findings', 'Findings', this.#parts.findings.root),
        section('play', 'Play', this.#parts.play.root),
        section('timeline', 'Timeline', this.#timelinePart, this.#asOf, this.#fragment.root),
        section('tracks', 'Streams and tracks', this.#parts.tracks.root),
        section('addresses', 'Addresses', this.#parts.addresses.root),
      );
    }
    const found = presentation.findings ?? [];
    this.#parts.findings.show(JSON.stringify(found), () => (found.length > 0 ? findings(found)
      : element('p', { class: 'good' }, '✓ Nothing found to be wrong.')));
    this.#parts.play.show(this.#play, () => this.#play.root);
    this.#parts.tracks.show(JSON.stringify(presentation.streams), () => tracks(presentation), { isFree: !isOther });
    this.#parts.addresses.show(JSON.stringify([presentation.urls, presentation.base]), () => new Addresses(presentation).root);
  }

  #showTimeline(timeline, presentation, isWanted) {
    this.#asOf.hidden = !this.#live;
    const before = this.#timeline;
    // Who is in it, or has zoomed in, goes on with what they see.
    const isUsed = before && (!before.isWhole || state.read().fragment !== null || this.#timelinePart.contains(document.activeElement));
    if (isUsed && !isWanted) return;
    this.#timeline = new Timeline(timeline, presentation, {
      choose: (place) => this.#choose(place),
      seek: (seconds) => this.#seek(seconds),
    });
    replace(this.#timelinePart, this.#timeline.root);
    this.#time.textContent = `As it was at ${new Date().toLocaleTimeString()}.`;
    if (before) {
      keepChosen(before.model, this.#timeline.model);
      before.close();
    }
    const wanted = state.read();
    this.#timeline.update(wanted);
    this.#showFragment(wanted);
  }

  #showPosition(place) {
    if (!this.#timeline) return;
    const { origin } = this.#timeline.model;
    this.#timeline.position(place && (place.media === undefined ? place.seconds : place.media - origin));
  }

  #behind(media) {
    const model = this.#timeline?.model;
    const edge = this.#live?.edge ?? (model ? model.origin + model.end : null);
    return edge === null ? null : Math.max(0, edge - media);
  }

  #seek(seconds) {
    this.#play?.seek({ seconds, media: seconds + (this.#timeline?.model.origin ?? 0) });
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

/** The content of a section, which is made anew if what it shows has changed. */
class Part {
  root = element('div', { class: 'part' });
  #shown = null;

  /** `isFree` if nobody needs to see the change who is in the middle of something. */
  show(key, make, { isFree = false } = {}) {
    if (key === this.#shown) return;
    const isUsed = this.root.contains(document.activeElement) || this.root.querySelector('.head-boxes:not([hidden])');
    if (isFree && this.#shown !== null && isUsed) return;
    this.#shown = key;
    replace(this.root, make());
  }
}

/** The chosen fragment of a timeline that was read again has another place: earlier ones have left the window. */
function keepChosen(before, now) {
  const { stream, track, fragment } = state.read();
  const row = stream === null || track === null ? null : before.row(stream, track);
  if (!row || fragment === null || fragment >= row.count) return;
  const place = now.row(stream, track)?.find(row.ticks(fragment)) ?? -1;
  const changes = place < 0 ? { stream: null, track: null, fragment: null } : { fragment: place };
  state.change(changes, { replaced: true, quiet: true });
}

/** What a presentation consists of, without the numbers that grow while an event goes on. */
function form({ live, protection, urls, base, streams }) {
  const trackOf = (track) => [track.id, track.bitrate, track.rfc6381, track.fourcc, track.file, track.encrypted];
  return JSON.stringify([live, protection, urls, base, streams.map((stream) => [stream.type, stream.name, stream.language, stream.tracks.map(trackOf)])]);
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
