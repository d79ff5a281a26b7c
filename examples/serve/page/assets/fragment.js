// The selected fragment: where it is, its URL, its download and its boxes.

import { ask } from './api.js';
import { boxes } from './boxes.js';
import { copyButton } from './copy.js';
import { element, name, replace } from './dom.js';
import { failure } from './failure.js';
import { clock, length, plain, size } from './words.js';

export class Fragment {
  #title;
  #on;
  #asked = null;
  #base = null;
  #shown = '';

  /** `on` has `choose(place)`, `canPlay()` and `seek(seconds)`. */
  constructor(title, on) {
    this.#title = title;
    this.#on = on;
    this.root = element('section', { class: 'fragment', 'aria-labelledby': 'fragment-title', hidden: true });
    this.root.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.#leave();
    });
  }

  close() {
    this.#asked?.abort();
  }

  /** Takes where the addresses to copy are, if that is not where the page is. */
  from(base) {
    this.#base = base;
  }

  /** Shows a fragment, or nothing. */
  async show(selected) {
    const key = selected ? `${selected.row.stream} ${selected.row.track} ${selected.fragment}` : '';
    if (key === this.#shown) return;
    this.#shown = key;
    this.#asked?.abort();
    this.root.hidden = !selected;
    if (!selected) return replace(this.root);
    const { row, fragment } = selected;
    const asked = new AbortController();
    this.#asked = asked;
    const tree = element('div', { class: 'boxes' }, element('p', { class: 'faint', role: 'status' }, 'Reading its boxes …'));
    const links = element('div', { class: 'links' });
    this.#addresses(links, row.address(fragment), row, fragment);
    replace(
      this.root,
      element('div', { class: 'fragment-head' },
        element('h3', { id: 'fragment-title', tabindex: '-1' }, `Fragment ${fragment} of `, name(row.label)),
        element('div', { class: 'buttons' },
          this.#step(row, fragment, -1, '← Previous'), this.#step(row, fragment, 1, 'Next →'),
          this.#on.canPlay() && element('button', { type: 'button', onclick: () => this.#on.seek(row.starts[fragment]) }, '▶ Play from here'),
          element('button', { type: 'button', onclick: () => this.#leave() }, 'Close'))),
      element('dl', { class: 'details' }, details(row, fragment)),
      links, tree,
    );
    try {
      const query = { name: this.#title, stream: row.stream, track: row.track, fragment };
      const answer = await ask('boxes', query, { signal: asked.signal });
      // Places are counted from the oldest chunk, and that of a live event goes.
      if (answer.url && !answer.url.endsWith(`=${row.ticks(fragment)})`)) {
        replace(tree, element('p', { class: 'warn' }, 'The event has gone on, and another fragment has this place by now. Read the timeline again.'));
        return undefined;
      }
      if (answer.url) this.#addresses(links, answer.url, row, fragment);
      replace(
        tree,
        element('p', { class: 'faint' }, 'Stored in ', name(answer.file), ` from byte ${plain(answer.offset)}, ${plain(answer.size)} bytes. Offsets count from there.`),
        boxes(answer.boxes),
      );
    } catch (error) {
      if (error.name !== 'AbortError') replace(tree, failure(error));
    }
    return undefined;
  }

  #leave() {
    this.#on.choose(null);
    document.querySelector('.picture')?.focus();
  }

  #step(row, fragment, by, label) {
    const to = fragment + by;
    return element('button', {
      type: 'button', disabled: to < 0 || to >= row.count, 'data-step': by,
      onclick: () => {
        this.#on.choose({ stream: row.stream, track: row.track, fragment: to });
        const button = this.root.querySelector(`[data-step="${by}"]`);
        if (button?.disabled) this.root.querySelector('h3').focus();
        else button?.focus();
      },
    }, label);
  }

  #addresses(parent, url, row, fragment) {
    const whole = new URL(url, this.#base ?? location.href).href;
    const file = `${row.type}_${row.track}_${fragment}.m4s`;
    replace(
      parent,
      element('span', { class: 'address' }, whole), copyButton(whole, 'Copy the address of the fragment'),
      element('a', { class: 'button', href: url, download: file }, 'Download'),
    );
  }
}

function details(row, fragment) {
  const next = row.starts[fragment + 1] - row.ends[fragment];
  const pairs = [
    ['Starts at', `${clock(row.starts[fragment], 3)} (${row.ticks(fragment)} ticks)`],
    ['Lasts', `${length(row.ends[fragment] - row.starts[fragment])} (${row.durations[fragment]} ticks)`],
    ['Size', row.hasSize(fragment) ? `${size(row.sizes[fragment])} (${plain(row.sizes[fragment])} bytes)` : 'not known before it is read'],
    row.isGap(fragment) && ['Then', `a gap of ${length(next)}`],
    row.isOverlap(fragment) && ['Then', `the next one overlaps it by ${length(-next)}`],
    row.isMisaligned(fragment) && ['Aligned', 'no: no fragment of the first track of this stream starts here'],
  ];
  return pairs.filter(Boolean).map(([word, text]) => element('div', {}, element('dt', {}, word), element('dd', {}, text)));
}
