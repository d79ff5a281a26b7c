// A failure in words, with what to do.

import { element, name } from './dom.js';
import { prose } from './prose.js';

/** Makes the notice of an error of the server. */
export function failure(error) {
  return element(
    'div', { class: 'notice bad', role: 'alert' },
    element('p', { class: 'what' }, prose(error.what ?? error.message)),
    error.file && element('p', {}, 'File: ', name(error.file)),
    error.advice && element('p', {}, prose(error.advice)),
    error.clause && element('p', { class: 'faint' }, error.clause),
  );
}
