// What opening noticed, worst first, with what to do.

import { element, name } from './dom.js';

const WORDS = { error: 'Error', warning: 'Warning', note: 'Note' };
const ORDER = Object.keys(WORDS);

/** Makes the list; `null` if there is none. */
export function findings(found) {
  if (found.length === 0) return null;
  const rank = ({ severity }) => (ORDER.indexOf(severity) + ORDER.length + 1) % (ORDER.length + 1);
  return element('ul', { class: 'findings' }, found.toSorted((a, b) => rank(a) - rank(b)).map(finding));
}

function finding({ severity, name: code, what, file, place, advice }) {
  return element(
    'li', { class: `finding ${WORDS[severity] ? severity : 'note'}` },
    element('p', { class: 'head' },
      element('span', { class: 'severity' }, WORDS[severity] ?? severity), ' ', element('code', {}, code)),
    element('p', { class: 'what' }, name(what)),
    (file || place) && element('p', { class: 'faint' }, file && name(file), file && place && ', ', place && name(place)),
    advice && element('p', { class: 'advice' }, element('b', {}, 'What to do: '), advice),
  );
}
