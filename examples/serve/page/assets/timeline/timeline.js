// The timeline as a picture: one row per track, the size of each fragment over time.

import { element, name } from '../dom.js';
import * as state from '../state.js';
import { clock, count, length, size } from '../words.js';
import { Colours } from './colours.js';
import { listen as listenToGestures } from './gestures.js';
import { irregular } from './irregular.js';
import { listen as listenToKeys } from './keys.js';
import { legend } from './legend.js';
import { Model } from './model.js';
import { Overview } from './overview.js';
import { AXIS, BARS, heightOf, LABEL, paint, ROW, SIDE } from './paint.js';
import { Window } from './window.js';

const KEPT_AFTER = 300; // milliseconds from the last zoom to its place in the address

export class Timeline {
  #on;
  #window;
  #overview;
  #canvas = element('canvas', {
    class: 'picture', tabindex: '0', role: 'application', 'aria-roledescription': 'timeline', 'aria-describedby': 'picture-help',
  });
  #context = this.#canvas.getContext('2d');
  #stage;
  #tip = element('div', { class: 'tip', hidden: true, 'aria-hidden': 'true' });
  #line = element('div', { class: 'playing', hidden: true, 'aria-hidden': 'true' });
  #spoken = element('p', { class: 'spoken', 'aria-live': 'polite' });
  #colours = null;
  #width = 0;
  #frame = 0;
  #timer = 0;
  #cursor = null; // of the keyboard
  #chosen = null;
  #position = null;
  #kept = { from: null, to: null }; // the window that the address has
  #scheme = matchMedia('(prefers-color-scheme: dark)');
  #resized = new ResizeObserver(() => this.#resize());

  constructor(timeline, presentation, on) {
    this.#on = on;
    this.model = new Model(timeline, presentation);
    this.#window = new Window(this.model.end, () => this.#moved());
    this.#overview = new Overview(this.#window);
    const { rows } = this.model;
    this.#canvas.setAttribute('aria-label', `Timeline of ${rows.length} tracks, ${clock(this.model.end)} long`);
    this.#stage = element(
      'div', { class: 'stage' }, this.#canvas,
      element('div', { class: 'labels', 'aria-hidden': 'true' }, rows.map((row, index) => {
        const label = name(row.label, { class: 'label' });
        label.style.top = `${AXIS + index * ROW}px`;
        return label;
      })),
      this.#line, this.#tip,
    );
    const leftOut = rows.reduce((sum, row) => sum + row.leftOut, 0);
    this.root = element(
      'div', { class: 'timeline' },
      irregular(this.model, (one) => this.#goTo(one)),
      element('div', { class: 'toolbar', role: 'toolbar', 'aria-label': 'Zoom' },
        this.#button('+', 'Zoom in', () => this.#window.zoom(2)),
        this.#button('−', 'Zoom out', () => this.#window.zoom(0.5)),
        this.#button('←', 'Earlier', () => this.#window.pan(-this.#window.length / 2)),
        this.#button('→', 'Later', () => this.#window.pan(this.#window.length / 2)),
        this.#button('Whole', 'Show the whole timeline', () => this.#window.whole()),
        element('span', { class: 'range faint' })),
      this.#stage, this.#overview.root,
      this.#spoken,
      element('p', { class: 'unseen', id: 'picture-help' }, 'Arrow keys go through fragments and tracks, Enter shows the boxes of one, plus and minus zoom, N goes to the next irregularity.'),
      leftOut > 0 && element('p', { class: 'faint' }, `${count(leftOut, 'fragment')} more are left out: there are too many for a picture.`),
      legend(this.model),
    );
    this.#listen();
    this.#resized.observe(this.#stage);
    this.#scheme.addEventListener('change', this.#recolour);
  }

  close() {
    this.#resized.disconnect();
    this.#scheme.removeEventListener('change', this.#recolour);
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
  }

  /** Shows what the address names: the window and the chosen fragment. */
  update({ from, to, stream, track, fragment }) {
    // A window that the address does not have yet stays.
    if (from !== this.#kept.from || to !== this.#kept.to) {
      this.#kept = { from, to };
      if (from !== null && to !== null && to > from) this.#window.set(from, to - from);
      else this.#window.whole();
    }
    const row = stream === null || track === null ? null : this.model.row(stream, track);
    this.#chosen = row && fragment !== null && fragment < row.count ? { row, fragment } : null;
    if (this.#chosen) {
      this.#cursor = this.#chosen;
      this.#window.reveal(row.starts[fragment], row.ends[fragment]);
    }
    this.#draw();
  }

  /** Set if the whole timeline is in view. */
  get isWhole() {
    return this.#window.isWhole;
  }

  /** Shows the position of the player as a line; `null` hides it. */
  position(seconds) {
    this.#position = seconds;
    this.#showPosition();
  }

  #button(text, label, act) {
    return element('button', { type: 'button', 'aria-label': label, title: label, onclick: act }, text);
  }

  #listen() {
    const seconds = (pixels) => (pixels / (this.#width - 2 * SIDE)) * this.#window.length;
    listenToGestures(this.#canvas, {
      zoom: (factor, x) => this.#window.zoom(factor, this.#time(x)),
      pan: (pixels) => this.#window.pan(-seconds(pixels)),
      hover: (x, y) => this.#hover(x, y),
      leave: () => { this.#tip.hidden = true; },
      press: (x, y) => {
        const place = this.#place(x, y);
        if (place) this.#choose(place);
      },
      isWhole: () => this.#window.isWhole,
    });
    listenToKeys(this.#canvas, {
      step: (by) => this.#go(({ row, fragment }) => ({ row, fragment: fragment + by })),
      end: (by) => this.#go(({ row }) => ({ row, fragment: by < 0 ? 0 : row.count - 1 })),
      row: (by) => this.#go(({ row, fragment }) => {
        const next = this.model.rows[row.index + by] ?? row;
        return { row: next, fragment: next === row ? fragment : next.at(row.starts[fragment] ?? 0) };
      }),
      irregular: (by) => this.#goToNext(by),
      choose: () => {
        if (!this.#cursor) return;
        this.#choose(this.#cursor);
        document.getElementById('fragment-title')?.focus(); // Escape leads back
      },
      zoom: (factor) => this.#window.zoom(factor, this.#middle()),
      whole: () => this.#window.whole(),
      pan: (part) => this.#window.pan(part * this.#window.length),
      seek: () => this.#cursor && this.#on.seek(this.#cursor.row.starts[this.#cursor.fragment]),
    });
    this.#canvas.addEventListener('focus', () => {
      if (!this.#cursor) this.#go(() => this.#first(), { seen: true });
      this.#draw();
    });
    this.#canvas.addEventListener('blur', () => this.#draw());
  }

  /** Returns the fragment at the beginning of the window, in the first track that has any. */
  #first() {
    const row = this.model.rows.find(({ count }) => count > 0);
    return row && { row, fragment: row.at(this.#window.from) };
  }

  /** Returns the time that the keyboard zooms around. */
  #middle() {
    if (!this.#cursor) return undefined;
    const { row, fragment } = this.#cursor;
    const middle = (row.starts[fragment] + row.ends[fragment]) / 2;
    return middle >= this.#window.from && middle <= this.#window.to ? middle : undefined;
  }

  #go(to) {
    const from = this.#cursor ?? this.#first();
    const next = from && to(from);
    if (!next || next.row.count === 0) return;
    const fragment = Math.min(Math.max(next.fragment, 0), next.row.count - 1);
    this.#cursor = { row: next.row, fragment };
    this.#window.reveal(next.row.starts[fragment], next.row.ends[fragment]);
    this.#spoken.textContent = describe(this.#cursor);
    this.#draw();
  }

  #goToNext(by) {
    const { row, fragment } = this.#cursor ?? this.#first() ?? {};
    if (!row) return;
    const now = row.starts[fragment];
    const all = this.model.irregularities;
    const key = (one) => one.row.starts[one.fragment] - now || one.row.index - row.index;
    const next = by > 0 ? all.find((one) => key(one) > 0) : all.findLast((one) => key(one) < 0);
    if (next) this.#goTo(next);
    else this.#spoken.textContent = by > 0 ? 'No irregularity after this.' : 'No irregularity before this.';
  }

  #goTo({ row, fragment, at, until }) {
    const length = Math.max((until - at) * 4, (row.ends[fragment] - row.starts[fragment]) * 12);
    if (this.#window.length > length * 2) this.#window.set((at + until) / 2 - length / 2, length);
    this.#go(() => ({ row, fragment }));
    this.#canvas.focus();
  }

  #choose({ row, fragment }) {
    this.#cursor = { row, fragment };
    this.#spoken.textContent = `${describe(this.#cursor)} Its boxes are below.`;
    this.#on.choose({ stream: row.stream, track: row.track, fragment });
  }

  #time(x) {
    return this.#window.from + ((x - SIDE) / (this.#width - 2 * SIDE)) * this.#window.length;
  }

  #place(x, y) {
    const index = Math.floor((y - AXIS) / ROW);
    const row = this.model.rows[index];
    if (!row || row.count === 0 || y - AXIS - index * ROW > LABEL + BARS + 4) return null;
    return { row, fragment: row.at(this.#time(x)) };
  }

  #hover(x, y) {
    const place = this.#place(x, y);
    this.#tip.hidden = !place;
    if (!place) return;
    this.#tip.textContent = describe(place);
    const left = Math.min(Math.max(x + 12, 0), Math.max(0, this.#width - 300));
    this.#tip.style.transform = `translate(${left}px, ${AXIS + (place.row.index + 1) * ROW}px)`;
  }

  #moved() {
    this.#draw();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const { from, to, isWhole } = this.#window;
      this.#kept = isWhole ? { from: null, to: null } : { from: Number(from.toFixed(3)), to: Number(to.toFixed(3)) };
      state.change(this.#kept, { replaced: true, quiet: true });
    }, KEPT_AFTER);
  }

  #recolour = () => {
    this.#colours = null;
    this.#draw();
  };

  #resize() {
    const width = this.#stage.clientWidth;
    if (width === this.#width) return;
    this.#width = width;
    const scale = this.#scale();
    const height = heightOf(this.model.rows.length);
    this.#canvas.width = Math.round(width * scale);
    this.#canvas.height = Math.round(height * scale);
    this.#canvas.style.height = `${height}px`;
    this.#recolour();
  }

  #scale() {
    return Math.min(window.devicePixelRatio || 1, 2);
  }

  #draw() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#paint();
    });
  }

  #paint() {
    if (this.#width <= 2 * SIDE) return;
    if (!this.#colours) performance.mark('timeline');
    const scale = this.#scale();
    this.#colours ??= new Colours(this.#context, this.root, scale);
    const places = [];
    if (this.#cursor && document.activeElement === this.#canvas) places.push({ ...this.#cursor, colour: 'text' });
    if (this.#chosen) places.push({ ...this.#chosen, colour: 'cursor' });
    paint(this.#context, {
      model: this.model, window: this.#window, colours: this.#colours, places, scale,
      width: this.#width, height: heightOf(this.model.rows.length),
    });
    this.#overview.show();
    this.root.querySelector('.range').textContent = `${clock(this.#window.from, 1)} – ${clock(this.#window.to, 1)}`;
    this.#showPosition();
  }

  #showPosition() {
    const { from, to, length: shown } = this.#window;
    const at = this.#position;
    this.#line.hidden = at === null || at < from || at > to;
    if (this.#line.hidden) return;
    this.#line.style.transform = `translateX(${SIDE + ((at - from) / shown) * (this.#width - 2 * SIDE)}px)`;
  }
}

/** Returns a fragment in a sentence. */
function describe({ row, fragment }) {
  const next = row.starts[fragment + 1] - row.ends[fragment];
  return [
    `${row.label}, fragment ${fragment}: starts at ${clock(row.starts[fragment], 3)}`,
    `lasts ${length(row.ends[fragment] - row.starts[fragment])}`,
    row.hasSize(fragment) && size(row.sizes[fragment]),
    row.isGap(fragment) && `a gap of ${length(next)} follows`,
    row.isOverlap(fragment) && `the next one overlaps it by ${length(-next)}`,
    row.isMisaligned(fragment) && 'misaligned',
  ].filter(Boolean).join(', ').concat('.');
}
