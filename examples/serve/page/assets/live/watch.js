// What the server says of the publishing points, every other second.

import { ask } from '../api.js';

const AGAIN = 2000; // milliseconds

/** Asks for the publishing points again and again, while somebody looks. */
export class Watch {
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
