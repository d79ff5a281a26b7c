// A failure in words, with what to do.

import { element, name } from './dom.js';
import { prose } from './prose.js';

/** Makes the notice of an error; `calm` is one of something that is as it should be. */
export function failure(error, { calm = false } = {}) {
  return element(
    'div', { class: calm ? 'notice' : 'notice bad', role: calm ? null : 'alert' },
    element('p', { class: 'what' }, prose(error.what ?? error.message)),
    error.file && element('p', {}, 'File: ', name(error.file)),
    error.advice && element('p', {}, prose(error.advice)),
    error.clause && element('p', { class: 'faint' }, error.clause),
  );
}
