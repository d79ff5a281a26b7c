// Opens the presentations that the list shows, a few at a time, so that their health is known.

import { ask } from './api.js';
import { element, replace } from './dom.js';
import { plain } from './words.js';

const AT_ONCE = 3;
const WORDS = { fine: 'fine', warnings: 'with warnings', errors: 'with errors', 'not-served': 'not served' };

/** Makes the word for a health; an empty one if it is not known. */
export function mark(health) {
  return element('span', { class: `health ${health ?? ''}` }, WORDS[health] ?? '');
}

export class Check {
  #button = element('button', { type: 'button', onclick: () => (this.#stop ? this.#stop.abort() : this.#run()) }, 'Check these');
  #bar = element('progress', { 'aria-label': 'Presentations checked', hidden: true });
  #said = element('span', { class: 'faint', role: 'status' });
  #stop = null;
  #links;
  root = element('div', { class: 'checking' }, this.#button, this.#bar, this.#said);

  /** `links` returns the links of the list, each with its presentation in `dataset.title`. */
  constructor(links) {
    this.#links = links;
  }

  close() {
    this.#stop?.abort();
  }

  async #run() {
    const stop = new AbortController();
    const waiting = this.#links().map(({ dataset }) => dataset.title);
    const all = waiting.length;
    let done = 0;
    let failed = 0;
    this.#stop = stop;
    this.#button.textContent = 'Stop';
    Object.assign(this.#bar, { max: Math.max(all, 1), value: 0, hidden: false });
    this.#said.textContent = '';
    const one = async () => {
      while (waiting.length > 0 && !stop.signal.aborted) {
        const title = waiting.shift();
        try {
          const { health } = await ask('health', { name: title }, { signal: stop.signal });
          // The list may have been made anew meanwhile.
          const link = this.#links().find(({ dataset }) => dataset.title === title);
          if (link) replace(link.querySelector('.mark'), mark(health));
        } catch (error) {
          if (error.name === 'AbortError') return;
          failed += 1;
        }
        done += 1;
        this.#bar.value = done;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
    this.#stop = null;
    this.#button.textContent = 'Check these';
    this.#bar.hidden = true;
    const unknown = failed > 0 ? `; ${failed} could not be asked for: check again` : '';
    this.#said.textContent = `${plain(done - failed)} of ${plain(all)} checked${unknown}`;
  }
}
