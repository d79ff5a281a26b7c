// What the player does, in numbers that follow it.

import { element } from '../dom.js';
import { bitrate, clock, length, plain } from '../words.js';

const NAMES = { position: 'Position', behind: 'Behind live', buffer: 'Buffer', quality: 'Quality', frames: 'Frames', first: 'First picture' };

export class Numbers {
  #values = Object.fromEntries(Object.keys(NAMES).map((key) => [key, element('dd', { 'data-number': key }, '–')]));
  #clicked = 0;

  constructor() {
    this.root = element('dl', { class: 'numbers' }, Object.entries(NAMES).map(([key, word]) => (
      element('div', {}, element('dt', {}, word), this.#values[key])
    )));
  }

  /** Begins to wait for the first picture. */
  begin(video) {
    this.#clicked = performance.now();
    for (const value of Object.values(this.#values)) value.textContent = '–';
    this.#values.behind.parentNode.hidden = true;
    const shown = () => this.#set('first', `${length((performance.now() - this.#clicked) / 1000)} after the click`);
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(shown);
    else video.addEventListener('loadeddata', shown, { once: true });
  }

  /** `behind` is how many seconds behind the newest chunk of a live event the picture is; `null` if there is none. */
  show(video, playing, behind) {
    const quality = video.getVideoPlaybackQuality?.();
    const { currentTime, duration } = video;
    this.#set('position', clock(currentTime, 1) + (Number.isFinite(duration) ? ` of ${clock(duration)}` : ''));
    this.#values.behind.parentNode.hidden = behind === null;
    this.#set('behind', behind === null ? '–' : `${behind.toFixed(1)} s`);
    this.#set('buffer', length(Number(ahead(video).toFixed(1))));
    this.#set('quality', playing ? [playing.width && `${playing.width} × ${playing.height}`, bitrate(playing.bitrate)].filter(Boolean).join(', ') : '–');
    if (quality) this.#set('frames', `${plain(quality.totalVideoFrames)} decoded, ${plain(quality.droppedVideoFrames)} dropped`);
  }

  #set(key, text) {
    if (this.#values[key].textContent !== text) this.#values[key].textContent = text;
  }
}

/** Returns how many seconds are buffered from the position on. */
function ahead({ buffered, currentTime }) {
  for (let at = 0; at < buffered.length; at += 1) {
    if (buffered.start(at) <= currentTime + 0.1 && buffered.end(at) >= currentTime) return buffered.end(at) - currentTime;
  }
  return 0;
}
