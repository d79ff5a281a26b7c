// The URLs of each format, to copy.

import { copyButton } from './copy.js';
import { element } from './dom.js';

export class Addresses {
  constructor({ urls, base }) {
    this.root = element('dl', { class: 'addresses' }, urls.map(({ label, url }) => {
      const whole = new URL(url, base ?? location.href).href;
      return [
        element('dt', {}, label),
        element('dd', {},
          element('a', { class: 'address', href: whole, target: '_blank', rel: 'noreferrer' }, whole),
          copyButton(whole, `Copy the address of ${label}`)),
      ];
    }));
  }
}
