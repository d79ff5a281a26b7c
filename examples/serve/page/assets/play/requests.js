// The requests of a player, as the browser measured them: newest first.

import { element, name, table } from '../dom.js';
import { length, size } from '../words.js';

const SHOWN = 14;
const COLUMNS = [
  { title: 'Request' }, { title: 'Status', class: 'number' }, { title: 'Size', class: 'number' }, { title: 'Time', class: 'number' },
];

export class Requests {
  #below;
  #rows;
  #observer = new PerformanceObserver((list) => this.#add(list.getEntries()));

  constructor(title) {
    this.#below = `/${title}/`;
    const made = table('Requests of the player, newest first', COLUMNS, []);
    this.#rows = made.querySelector('tbody');
    this.root = element('div', { class: 'requests', role: 'region', 'aria-label': 'Requests of the player', tabindex: '0' }, made);
  }

  begin() {
    this.#rows.replaceChildren();
    performance.setResourceTimingBufferSize(1000);
    this.#observer.observe({ type: 'resource' });
  }

  end() {
    this.#observer.disconnect();
    performance.clearResourceTimings();
  }

  #add(entries) {
    for (const { name: address, responseStatus, transferSize, encodedBodySize, duration } of entries) {
      const path = readable(new URL(address).pathname);
      if (!path.startsWith(this.#below)) continue;
      const bad = responseStatus >= 400;
      this.#rows.prepend(element(
        'tr', { class: bad && 'bad' },
        element('td', { title: path }, name(path.slice(this.#below.length))),
        element('td', { class: 'number' }, responseStatus || '–'),
        element('td', { class: 'number' }, size(encodedBodySize || transferSize)),
        element('td', { class: 'number' }, length(duration / 1000)),
      ));
    }
    while (this.#rows.childElementCount > SHOWN) this.#rows.lastChild.remove();
  }
}

function readable(path) {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
