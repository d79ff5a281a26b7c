// A button that copies a text.

import { element } from './dom.js';

export function copyButton(text, label = 'Copy') {
  const button = element('button', {
    type: 'button', class: 'copy', 'aria-label': label, 'data-text': text,
    onclick: async () => {
      button.textContent = (await copy(text)) ? 'Copied' : 'Not copied';
      setTimeout(() => { button.textContent = 'Copy'; }, 1500);
    },
  }, 'Copy');
  return button;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text); // browsers have no clipboard on plain HTTP, except on loopback
  }
}

function copyBySelection(text) {
  const field = element('textarea', { class: 'unseen', 'aria-hidden': 'true', readonly: true });
  field.value = text;
  const focused = document.activeElement;
  document.body.append(field);
  field.select();
  const done = document.execCommand('copy');
  field.remove();
  focused?.focus?.();
  return done;
}
