// The URLs of each format, to copy.

import { copyButton } from './copy.js';
import { element } from './dom.js';

export class Addresses {
  constructor({ urls }) {
    this.root = element('dl', { class: 'addresses' }, urls.map(({ label, url }) => {
      const whole = new URL(url, location.href).href;
      return [
        element('dt', {}, label),
        element('dd', {},
          element('a', { class: 'address', href: url, target: '_blank', rel: 'noreferrer' }, whole),
          copyButton(whole, `Copy the address of ${label}`)),
      ];
    }));
  }
}
