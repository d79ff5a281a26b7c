// What colours, patterns and keys mean.

import { element } from '../dom.js';
import { HELP } from './keys.js';

const KINDS = { video: 'video', audio: 'sound', text: 'text' };
const MARKS = { gap: '▼ gap', overlap: '◆ overlap', misaligned: '● misaligned: starts when no fragment of the first track does' };

export function legend(model) {
  const kinds = Object.entries(KINDS).filter(([type]) => model.rows.some((row) => row.type === type));
  return element(
    'div', { class: 'legend' },
    element('ul', { 'aria-label': 'Legend' },
      kinds.map(([type, word]) => element('li', {}, element('span', { class: `swatch ${type}` }), word)),
      Object.entries(MARKS).map(([mark, word]) => element('li', {}, element('span', { class: `swatch ${mark}` }), word))),
    element('details', { class: 'keys' },
      element('summary', {}, 'Keys'),
      element('dl', {}, HELP.map(([key, what]) => element('div', {}, element('dt', {}, key), element('dd', {}, what))))),
  );
}
