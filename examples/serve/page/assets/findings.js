// What opening noticed, worst first, with what to do. Findings of one kind stand together.

import { element, name } from './dom.js';
import { prose } from './prose.js';
import { plain } from './words.js';

const WORDS = { error: 'Error', warning: 'Warning', note: 'Note' };
const ORDER = Object.keys(WORDS);
const SHOWN = 3;

/** Makes the list; `null` if there is none. */
export function findings(found) {
  if (found.length === 0) return null;
  const rank = ([{ severity }]) => (ORDER.includes(severity) ? ORDER.indexOf(severity) : ORDER.length);
  const kinds = groups(found);
  return element('ul', { class: 'findings' }, [...kinds.values()].toSorted((a, b) => rank(a) - rank(b)).map(together));
}

const kind = ({ severity, name: code, advice }) => [severity, code, advice].join(' ');

function groups(found) {
  const made = new Map();
  for (const finding of found) {
    const alike = made.get(kind(finding));
    if (alike) alike.push(finding);
    else made.set(kind(finding), [finding]);
  }
  return made;
}

function together(alike) {
  const [{ severity, name: code, advice }] = alike;
  const more = alike.slice(SHOWN);
  return element(
    'li', { class: `finding ${WORDS[severity] ? severity : 'note'}` },
    element('p', { class: 'head' },
      element('span', { class: 'severity' }, WORDS[severity] ?? severity), ' ', element('code', {}, code),
      alike.length > 1 && element('span', { class: 'faint' }, ` ${plain(alike.length)} times`)),
    alike.slice(0, SHOWN).map(one),
    more.length > 0 && element('details', {}, element('summary', {}, `${plain(more.length)} more`), more.map(one)),
    advice && element('p', { class: 'advice' }, element('b', {}, 'What to do: '), prose(advice)),
  );
}

function one({ what, file, place }) {
  return element(
    'p', { class: 'what' }, prose(what),
    (file || place) && element('span', { class: 'faint' }, ' (', file && name(file), file && place && ', ', place && name(place), ')'),
  );
}
