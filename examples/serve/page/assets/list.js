// The presentations under the roots: one page after the other, as they come into view.

import { ask } from './api.js';
import { Check, mark } from './check.js';
import { element, name, replace } from './dom.js';
import { failure } from './failure.js';
import { LivePoints } from './live/points.js';
import * as state from './state.js';
import { count, plain } from './words.js';

const PAGE = 100;
const LOOK_AGAIN = 700; // milliseconds, while the server still walks its folders
const TYPING = 150; // milliseconds

export class List {
  #search = element('input', {
    type: 'search', id: 'search', placeholder: 'Part of a name', autocomplete: 'off', spellcheck: 'false', enterkeyhint: 'search',
    oninput: () => this.#typed(),
  });
  #health = element('select', { id: 'health', onchange: () => this.#begin() },
    element('option', { value: 'all' }, 'all'),
    element('option', { value: 'sick' }, 'sick'),
    element('option', { value: 'unchecked' }, 'unchecked'));
  #items = element('ul', { class: 'titles' });
  #status = element('p', { class: 'faint', role: 'status' });
  #problems = element('div');
  #more = element('button', { type: 'button', hidden: true, onclick: () => this.#load() }, 'Show more');
  #check = new Check(() => [...this.#items.querySelectorAll('a')]);
  #live = new LivePoints();
  #next = null;
  #asked = null;
  #timer = 0;
  #observer = new IntersectionObserver((seen) => {
    if (seen.some(({ isIntersecting }) => isIntersecting) && !this.#more.hidden) this.#load();
  }, { rootMargin: '600px' });

  constructor({ search }) {
    this.#search.value = search ?? '';
    this.root = element(
      'section', { class: 'list' },
      element('h1', { tabindex: '-1' }, 'Presentations'),
      this.#live.root,
      element('form', { class: 'search', role: 'search', onsubmit: (event) => this.#submitted(event) },
        element('label', { for: 'search' }, 'Search'), this.#search),
      element('div', { class: 'tools' }, element('label', { for: 'health' }, 'Show'), this.#health, this.#check.root),
      this.#status, this.#problems, this.#items, this.#more,
    );
    this.#observer.observe(this.#more);
    document.addEventListener('keydown', this.#key);
    this.#begin();
  }

  update({ search }) {
    if ((search ?? '') === this.#search.value) return;
    this.#search.value = search ?? '';
    this.#begin();
  }

  close() {
    this.#check.close();
    this.#live.close();
    this.#asked?.abort();
    clearTimeout(this.#timer);
    this.#observer.disconnect();
    document.removeEventListener('keydown', this.#key);
  }

  // `/` goes to the search, the arrows go through the list.
  #key = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === '/' && document.activeElement !== this.#search) {
      event.preventDefault();
      this.#search.focus();
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !this.root.contains(document.activeElement)) return;
    const links = [...this.#items.querySelectorAll('a')];
    const to = links.indexOf(document.activeElement) + step;
    event.preventDefault();
    if (to < 0) this.#search.focus();
    else links[to]?.focus();
  };

  #typed() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      state.change({ search: this.#search.value }, { replaced: true, quiet: true });
      this.#begin();
    }, TYPING);
  }

  #submitted(event) {
    event.preventDefault();
    this.#items.querySelector('a')?.focus();
  }

  #begin() {
    this.#check.close();
    this.#next = null;
    this.#load({ fresh: true });
  }

  async #load({ fresh = false } = {}) {
    if (!fresh && this.#asked) return;
    clearTimeout(this.#timer);
    this.#asked?.abort();
    const asked = new AbortController();
    this.#asked = asked;
    const search = this.#search.value;
    try {
      const query = { search, health: this.#health.value, after: fresh ? null : this.#next, limit: PAGE };
      const page = await ask('presentations', query, { signal: asked.signal });
      this.#show(page, fresh, search);
    } catch (error) {
      if (error.name === 'AbortError') return;
      replace(this.#problems, failure(error));
      this.#status.textContent = '';
    } finally {
      if (this.#asked === asked) this.#asked = null;
    }
  }

  #show(page, fresh, search) {
    const rows = page.presentations.map((presentation) => item(presentation));
    if (fresh) replace(this.#items, rows);
    else this.#items.append(...rows);
    this.#next = page.next;
    this.#more.hidden = page.next === null;
    const shown = this.#items.childElementCount;
    const some = page.next === null ? count(shown, 'presentation') : `The first ${plain(shown)} presentations`;
    const walk = page.complete ? '' : ' so far; still looking …';
    if (shown > 0) this.#status.textContent = some + walk;
    else if (!page.complete) this.#status.textContent = 'Looking for presentations …';
    else if (this.#health.value === 'sick') this.#status.textContent = 'None of those that were checked is sick.';
    else if (this.#health.value === 'unchecked') this.#status.textContent = 'All are checked.';
    else if (search) this.#status.textContent = 'No name has this in it.';
    else this.#status.textContent = 'There are no presentations here: no .ism file is below the served folders.';
    replace(this.#problems, (page.problems ?? []).length > 0 && element(
      'details', { class: 'notice' },
      element('summary', {}, `${count(page.problems.length, 'folder')} could not be read`),
      element('ul', {}, page.problems.map(({ what }) => element('li', {}, name(what)))),
    ));
    // While the walk goes on, the first page may still get names between those that it has.
    if (!page.complete && (fresh || shown < PAGE)) {
      const focused = this.#items.contains(document.activeElement);
      this.#timer = setTimeout(() => !focused && this.#load({ fresh: true }), LOOK_AGAIN);
    }
  }
}

function item({ name: title, health }) {
  const place = title.lastIndexOf('/') + 1;
  return element('li', {}, element(
    'a', { href: state.addressOf(title), 'data-title': title },
    name(title.slice(place), { class: 'name file' }),
    element('span', { class: 'mark' }, mark(health)),
    place > 0 && name(title.slice(0, place), { class: 'name folder' }),
  ));
}
