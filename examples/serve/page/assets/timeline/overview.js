// The whole timeline as a bar under the picture: where the window is, and a way to move it.

import { element } from '../dom.js';

export class Overview {
  #window;
  #thumb = element('div', { class: 'thumb' });
  #grip = 0;

  constructor(window) {
    this.#window = window;
    this.root = element('div', { class: 'overview', 'aria-hidden': 'true' }, this.#thumb);
    this.root.addEventListener('pointerdown', (event) => {
      this.root.setPointerCapture(event.pointerId);
      const at = this.#time(event);
      this.#grip = at >= window.from && at <= window.to ? at - window.from : window.length / 2;
      window.set(at - this.#grip, window.length);
    });
    this.root.addEventListener('pointermove', (event) => {
      if (this.root.hasPointerCapture(event.pointerId)) window.set(this.#time(event) - this.#grip, window.length);
    });
  }

  #time(event) {
    const box = this.root.getBoundingClientRect();
    return ((event.clientX - box.left) / box.width) * this.#window.end;
  }

  show() {
    const { from, length, end } = this.#window;
    this.#thumb.style.left = `${(from / end) * 100}%`;
    this.#thumb.style.width = `max(6px, ${(length / end) * 100}%)`;
  }
}
