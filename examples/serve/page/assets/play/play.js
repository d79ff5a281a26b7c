// Plays the presentation, and shows what the player does.

import { askServer } from '../api.js';
import { element, replace } from '../dom.js';
import { failure } from '../failure.js';
import * as state from '../state.js';
import { refusal } from './abilities.js';
import { Choice } from './choice.js';
import { Numbers } from './numbers.js';
import { Requests } from './requests.js';

const FORMATS = {
  dash: { words: 'DASH', player: 'dash.js', module: './dashjs.js' },
  hls: { words: 'HLS', player: 'hls.js', module: './hlsjs.js' },
  smooth: { words: 'Smooth Streaming', player: 'dash.js', module: './dashjs.js' },
};
const OFTEN = 250; // milliseconds

const NO_PLAYER = {
  what: 'This build of the server has no player.',
  advice: 'Install Node.js with npm and build again: the build then fetches dash.js and hls.js. Meanwhile, copy an address below into a player of yours.',
};

export class Play {
  #presentation;
  #on;
  #urls;
  #format = null;
  #engine = null;
  #running = 0;
  #isLive = false; // what plays is an event that went on when it was started
  #wanted = null; // where to go as soon as it plays
  #timer = 0;
  #video = element('video', { controls: true, playsinline: true, tabindex: '0', 'aria-label': 'Player' });
  #captions = element('div', { class: 'captions' });
  #message = element('div', { 'aria-live': 'assertive' });
  #panel;
  #choices = [];
  #numbers = new Numbers();
  #requests;

  /** `on` has `position(place)`, with `{ seconds }` of the timeline, `{ media }` of a live event or `null`, and `behind(media)`. */
  constructor(presentation, on) {
    this.#presentation = presentation;
    this.#on = on;
    this.#urls = Object.fromEntries(presentation.urls.toReversed().map(({ format, url }) => [format, url]));
    this.#requests = new Requests(presentation.name);
    this.#choices = [['quality', 'Quality'], ['audio', 'Language'], ['text', 'Text']]
      .map(([kind, label]) => [kind, new Choice(kind, label, (of, id) => this.#chosen(of, id))]);
    this.#panel = element(
      'div', { class: 'player', hidden: true },
      element('div', {}, element('div', { class: 'screen' }, this.#video, this.#captions), this.#numbers.root),
      element('div', { class: 'beside' },
        element('div', { class: 'choices' }, this.#choices.map(([, choice]) => choice.root)),
        this.#requests.root),
    );
    this.root = element('div', { class: 'play' }, this.#message, this.#panel);
    this.#video.addEventListener('error', () => this.#videoFailed());
    this.#offer();
  }

  close() {
    this.#stop();
  }

  /** Set if there is a player for the presentation. */
  get canPlay() {
    return this.#format !== null;
  }

  /** Set while something plays. */
  get isRunning() {
    return this.#engine !== null;
  }

  /** Takes what is known of the presentation by now, for the next start. */
  renew(presentation) {
    this.#presentation = presentation;
  }

  /**
   * Plays from a place of the timeline on: `seconds` from its beginning, from which players count too, and `media` in time of
   * the media. Those of a live event count from the beginning of the event, or from whatever they have seen first.
   */
  seek({ seconds, media }) {
    if (!this.canPlay) return;
    if (!this.#engine) {
      this.#start({ seconds, media });
    } else if (this.#isLive) {
      this.#wanted = { media };
      this.#goToWanted();
    } else {
      this.#video.currentTime = seconds;
      this.#video.play().catch(() => {});
    }
  }

  #goToWanted() {
    const now = this.#media();
    if (!this.#wanted || now === null || this.#video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    this.#video.currentTime += this.#wanted.media - now;
    this.#wanted = null;
    this.#video.play().catch(() => {});
  }

  /** Time of the media that is shown, if it is that of a live event, and known. */
  #media() {
    return this.#isLive ? this.#engine?.media(this.#video, this.#presentation.epoch_seconds) ?? null : null;
  }

  async #offer() {
    const refused = refusal(this.#presentation);
    if (refused) {
      replace(this.#message, failure(refused, { calm: true }));
      return;
    }
    let players = {};
    try {
      ({ players = {} } = await askServer());
    } catch (error) {
      replace(this.#message, failure(error));
      return;
    }
    const formats = Object.keys(FORMATS).filter((format) => this.#urls[format] && players[FORMATS[format].player]);
    if (formats.length === 0) {
      replace(this.#message, failure(NO_PLAYER, { calm: true }));
      return;
    }
    const wanted = state.read().format;
    this.#format = formats.includes(wanted) ? wanted : formats[0];
    this.root.prepend(element(
      'form', { class: 'start', onsubmit: (event) => { event.preventDefault(); this.#start(); } },
      element('fieldset', {}, element('legend', {}, 'Format'), formats.map((format) => element('label', {},
        element('input', {
          type: 'radio', name: 'format', value: format, checked: format === this.#format,
          onchange: () => this.#formatChosen(format),
        }),
        ` ${FORMATS[format].words}`))),
      element('button', { class: 'main', type: 'submit' }, '▶ Play'),
    ));
  }

  #formatChosen(format) {
    this.#format = format;
    state.change({ format }, { replaced: true, quiet: true });
    if (this.#engine) this.#start();
  }

  async #start(wanted = null) {
    this.#stop();
    const run = this.#running;
    this.#isLive = this.#presentation.live;
    if (this.#isLive) this.#wanted = wanted;
    else if (wanted) this.#video.addEventListener('loadedmetadata', () => { this.#video.currentTime = wanted.seconds; }, { once: true });
    const { module } = FORMATS[this.#format];
    this.#panel.hidden = false;
    replace(this.#message);
    this.#requests.begin();
    this.#numbers.begin(this.#video);
    try {
      const { start } = await import(module);
      const on = {
        changed: () => run === this.#running && this.#showChoices(),
        failed: (what) => run === this.#running && this.#failed(what),
      };
      const url = new URL(this.#urls[this.#format], location.href).href;
      const engine = await start(this.#video, this.#captions, url, on, { smooth: this.#format === 'smooth' });
      if (run !== this.#running) {
        engine.close();
        return;
      }
      this.#engine = engine;
    } catch (error) {
      this.#failed(error.message);
      return;
    }
    this.#timer = setInterval(() => this.#look(), OFTEN);
    this.#video.addEventListener('timeupdate', this.#showPosition);
    this.#video.addEventListener('seeking', this.#showPosition);
  }

  #stop() {
    this.#running += 1;
    this.#wanted = null;
    clearInterval(this.#timer);
    this.#engine?.close();
    this.#engine = null;
    this.#requests.end();
    this.#captions.replaceChildren();
    this.#on.position(null);
    this.#video.removeEventListener('timeupdate', this.#showPosition);
    this.#video.removeEventListener('seeking', this.#showPosition);
  }

  #look() {
    const media = this.#media();
    this.#numbers.show(this.#video, this.#engine.playing(), media === null ? null : this.#on.behind(media));
    this.#showChoices();
    this.#goToWanted();
  }

  #showChoices() {
    if (!this.#engine) return;
    for (const [kind, choice] of this.#choices) choice.show(this.#engine.choices(kind));
  }

  #chosen(kind, id) {
    this.#engine?.choose(kind, id);
  }

  #showPosition = () => {
    if (!this.#isLive) return this.#on.position({ seconds: this.#video.currentTime });
    const media = this.#media();
    return this.#on.position(media === null ? null : { media });
  };

  #videoFailed() {
    const { error } = this.#video;
    if (!error || !this.#engine) return;
    const kinds = { 2: 'The browser could not load the media', 3: 'The browser could not decode the media', 4: 'The browser cannot play the media' };
    this.#failed(`${kinds[error.code] ?? 'The browser stopped'}${error.message ? `: ${error.message}` : ''}.`);
  }

  #failed(what) {
    replace(this.#message, failure({
      what, advice: 'The findings above and the requests beside the video may say why; another format may play.',
    }));
  }
}
