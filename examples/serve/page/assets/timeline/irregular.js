// Gaps, overlaps and misaligned fragments in words: a sentence, and a table that leads to each.

import { element, name, table } from '../dom.js';
import { clock, count, length, plain } from '../words.js';
import { MARKS } from './model.js';

const MOST = 200;

const WORDS = {
  [MARKS.GAP]: ['gap', 'gaps'],
  [MARKS.OVERLAP]: ['overlap', 'overlaps'],
  [MARKS.MISALIGNED]: ['misaligned fragment', 'misaligned fragments'],
};

/** Makes the sentence and the table; `show` is called with the irregularity of a row. */
export function irregular(model, show) {
  const found = model.irregularities;
  if (found.length === 0) {
    return element('p', { class: 'good' }, '✓ No gaps, no overlaps, and all tracks of a stream start their fragments at the same times.');
  }
  const parts = Object.entries(WORDS).map(([mark, words]) => {
    const number = found.filter((one) => one.mark === Number(mark)).length;
    return number > 0 && count(number, ...words);
  }).filter(Boolean);
  const columns = [{ title: 'At' }, { title: 'What' }, { title: 'Track' }, { title: 'Fragment', class: 'number' }, { title: 'Length', class: 'number' }];
  const rows = found.slice(0, MOST).map((one) => element(
    'tr', {},
    element('td', {}, element('button', { type: 'button', class: 'link', onclick: () => show(one) }, clock(one.at, 3))),
    element('td', {}, WORDS[one.mark][0]),
    element('td', {}, name(one.row.label)),
    element('td', { class: 'number' }, plain(one.fragment)),
    element('td', { class: 'number' }, one.mark === MARKS.MISALIGNED ? '' : length(one.until - one.at)),
  ));
  return element(
    'details', { class: 'irregular' },
    element('summary', {}, parts.join(', ')),
    element('div', { class: 'wide', tabindex: '0', role: 'region', 'aria-label': 'Irregularities' }, table('Irregularities of the timeline', columns, rows)),
    found.length > MOST && element('p', { class: 'faint' }, `The first ${MOST} of ${plain(found.length)}; all are in the JSON of the timeline.`),
  );
}
