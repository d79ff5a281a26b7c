// The scripts of the players: loaded when they are needed, once.

import { element } from '../dom.js';

const loaded = new Map();

export function script(file) {
  if (!loaded.has(file)) {
    loaded.set(file, new Promise((done, failed) => {
      document.head.append(element('script', {
        src: `/-/player/${file}`,
        onload: () => done(),
        onerror: () => {
          loaded.delete(file);
          failed(new Error(`The player's file ${file} cannot be loaded.`));
        },
      }));
    }));
  }
  return loaded.get(file);
}
