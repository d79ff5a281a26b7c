// Sentences of the server as the page shows them.

import { element, name } from './dom.js';

/** Makes a sentence: with a capital, and what stands in backticks as code. */
export function prose(text) {
  const parts = capital(text).split('`');
  // An odd number of backticks has none that closes.
  if (parts.length % 2 === 0) return name(text);
  return element('bdi', { class: 'name' }, parts.map((part, at) => (at % 2 === 0 ? part : element('code', {}, part))));
}

function capital(text) {
  const isWord = /^[a-z]+[ ,:]/.test(text);
  return isWord ? text[0].toUpperCase() + text.slice(1) : text;
}
