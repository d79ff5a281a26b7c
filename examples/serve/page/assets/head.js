// The boxes of a file before its first fragment, below the tracks that it has.

import { ask } from './api.js';
import { boxes } from './boxes.js';
import { element, name, replace } from './dom.js';
import { failure } from './failure.js';
import { plain } from './words.js';

export class FileHead {
  #title;
  #opener = null;
  #asked = null;

  constructor(title) {
    this.#title = title;
    this.root = element('section', { class: 'head-boxes', hidden: true, onkeydown: (event) => this.#key(event) });
  }

  /** Makes the button of a file, which shows and hides its boxes. */
  button(file) {
    const made = element('button', {
      type: 'button', class: 'link', 'aria-expanded': 'false', title: 'Show the boxes before the first fragment',
      onclick: () => (this.#opener === made ? this.#leave() : this.#show(file, made)),
    }, name(file));
    return made;
  }

  #key(event) {
    if (event.key === 'Escape') this.#leave();
  }

  #leave() {
    const opener = this.#opener;
    this.#close();
    opener?.focus();
  }

  #close() {
    this.#asked?.abort();
    this.#opener?.setAttribute('aria-expanded', 'false');
    this.#opener = null;
    this.root.hidden = true;
    replace(this.root);
  }

  async #show(file, opener) {
    this.#close();
    this.#opener = opener;
    opener.setAttribute('aria-expanded', 'true');
    const asked = new AbortController();
    this.#asked = asked;
    const heading = element('h4', { tabindex: '-1' }, 'Head of ', name(file));
    const tree = element('div', { class: 'boxes' }, element('p', { class: 'faint', role: 'status' }, 'Reading its boxes …'));
    replace(
      this.root,
      element('div', { class: 'fragment-head' }, heading, element('button', { type: 'button', onclick: () => this.#leave() }, 'Close')),
      tree,
    );
    this.root.hidden = false;
    heading.focus();
    try {
      const answer = await ask('boxes', { name: this.#title, file }, { signal: asked.signal });
      replace(
        tree,
        element('p', { class: 'faint' }, `Boxes before the first fragment, and the index behind the last one. The file has ${plain(answer.size)} bytes.`),
        boxes(answer.boxes),
      );
    } catch (error) {
      if (error.name !== 'AbortError') replace(tree, failure(error));
    }
  }
}
