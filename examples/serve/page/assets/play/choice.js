// A choice of the player: quality, language, text.

import { element, replace } from '../dom.js';
import { bitrate } from '../words.js';

const languages = new Intl.DisplayNames('en', { type: 'language', fallback: 'code' });

export class Choice {
  #kind;
  #select;
  #shown = '';

  constructor(kind, label, chosen) {
    this.#kind = kind;
    this.#select = element('select', { id: `choice-${kind}`, onchange: () => chosen(kind, this.#select.value) });
    this.root = element('div', { class: 'choice', hidden: true }, element('label', { for: `choice-${kind}` }, label), this.#select);
  }

  /** Shows what there is to choose; nothing if there is no choice. */
  show(choices) {
    const extra = { quality: ['auto', 'Automatic'], text: ['off', 'Off'] }[this.#kind];
    this.root.hidden = choices.length < (this.#kind === 'text' ? 1 : 2);
    const key = JSON.stringify(choices);
    if (key === this.#shown) return;
    this.#shown = key;
    replace(
      this.#select,
      extra && element('option', { value: extra[0] }, extra[1]),
      choices.map((choice) => element('option', { value: choice.id }, words(choice))),
    );
    this.#select.value = choices.find(({ chosen }) => chosen)?.id ?? extra?.[0] ?? choices[0]?.id ?? '';
  }
}

function words({ id, bitrate: bits, width, height, language, label }) {
  if (bits) return [width && `${width} × ${height}`, bitrate(bits)].filter(Boolean).join(', ');
  const spoken = language && language !== 'und' ? nameOf(language) : null;
  return [...new Set([spoken, label].filter(Boolean))].join(', ') || `Track ${Number(id) + 1}`;
}

function nameOf(language) {
  try {
    return languages.of(language);
  } catch {
    return language; // not a language tag
  }
}
