// Boxes as a tree that opens and closes.

import { element, name } from './dom.js';
import { plain } from './words.js';

const OPEN = new Set(['moof', 'traf', 'moov']);

export function boxes(list) {
  return element('ul', { class: 'tree' }, list.map((box) => element('li', {}, branch(box))));
}

function branch(box) {
  const head = [
    element('code', { class: 'type' }, name(box.type)), ' ',
    element('span', {}, box.name && box.name !== box.type ? name(box.name) : ''),
    element('span', { class: 'faint place' }, `at ${plain(box.offset)}, ${plain(box.size)} bytes`),
  ];
  const fields = box.fields ?? [];
  const inner = box.boxes ?? [];
  if (fields.length === 0 && inner.length === 0) return element('div', { class: 'leaf' }, head);
  return element(
    'details', { open: OPEN.has(box.type) },
    element('summary', {}, head),
    fields.length > 0 && element('dl', { class: 'fields' }, fields.map((field) => element(
      'div', {}, element('dt', {}, name(String(field.name))), element('dd', {}, name(String(field.value))),
    ))),
    inner.length > 0 && boxes(inner),
  );
}
