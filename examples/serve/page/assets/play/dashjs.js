// dash.js: DASH, and Smooth Streaming by its `mss` module.

import { script } from './script.js';

/**
 * Starts to play. `on` has `changed()` for other choices and `failed(words)`. Returns an engine:
 * `choices(kind)` of `quality`, `audio` and `text` as `[{ id, words, chosen }]`, `choose(kind, id)` (`auto` and `off`
 * among them), `playing()` in words, `media(video, epoch)`, `close()`. `media` is the time in seconds of the media that is shown
 * of a live event; `epoch` is the time of day of media time 0, in seconds since 1970. `null` if it is not known yet.
 */
export async function start(video, captions, url, on, { smooth }) {
  await script('dash.all.min.js');
  if (smooth) await script('dash.mss.min.js');
  const { dashjs } = globalThis;
  const player = dashjs.MediaPlayer().create();
  player.updateSettings({ debug: { logLevel: dashjs.Debug.LOG_LEVEL_NONE }, streaming: { text: { defaultEnabled: false } } });
  for (const event of ['streamInitialized', 'qualityChangeRendered', 'trackChangeRendered', 'allTextTracksAdded']) {
    player.on(event, on.changed);
  }
  player.on('error', ({ error }) => on.failed(words(error)));
  player.initialize(video, url, true);
  player.attachTTMLRenderingDiv(captions);
  return new Engine(player);
}

class Engine {
  #player;
  #automatic = true;

  constructor(player) {
    this.#player = player;
  }

  choices(kind) {
    if (kind === 'quality') {
      const now = this.#automatic ? null : this.#player.getCurrentRepresentationForType('video')?.id;
      return this.#representations().map(({ id, bandwidth, width, height }) => ({
        id, bitrate: bandwidth, width, height, chosen: id === now,
      }));
    }
    const now = this.#player.getCurrentTrackFor(kind);
    const isOn = kind === 'audio' || this.#player.isTextEnabled();
    return this.#tracks(kind).map((track, place) => ({
      id: String(place), language: track.lang, label: track.labels?.[0]?.text, chosen: isOn && track.index === now?.index,
    }));
  }

  choose(kind, id) {
    if (kind === 'quality') {
      this.#automatic = id === 'auto';
      this.#player.updateSettings({ streaming: { abr: { autoSwitchBitrate: { video: this.#automatic } } } });
      if (!this.#automatic) this.#player.setRepresentationForTypeById('video', id, true);
    } else if (kind === 'audio') {
      this.#player.setCurrentTrack(this.#tracks('audio')[Number(id)]);
    } else {
      this.#player.enableText(id !== 'off');
      if (id !== 'off') this.#player.setTextTrack(Number(id));
    }
  }

  playing() {
    const now = this.#safely(() => this.#player.getCurrentRepresentationForType('video'));
    return now && { bitrate: now.bandwidth, width: now.width, height: now.height };
  }

  media({ currentTime }) {
    const representation = (kind) => this.#safely(() => this.#player.getCurrentRepresentationForType(kind));
    const offset = (representation('video') ?? representation('audio'))?.mseTimeOffset;
    return Number.isFinite(offset) ? currentTime - offset : null;
  }

  close() {
    this.#player.destroy();
  }

  #representations() {
    return (this.#safely(() => this.#player.getRepresentationsByType('video')) ?? []).toSorted((a, b) => b.bandwidth - a.bandwidth);
  }

  #tracks(kind) {
    return this.#safely(() => this.#player.getTracksFor(kind)) ?? [];
  }

  // dash.js throws if it is asked before it has read the manifest.
  #safely(asked) {
    try {
      return asked();
    } catch {
      return null;
    }
  }
}

function words({ code, message, data }) {
  const status = data?.response?.status ?? data?.status;
  const url = data?.request?.url ?? data?.url;
  return [
    `dash.js reports: ${message ?? 'an error'}${code ? ` (code ${code})` : ''}.`,
    url && `It asked for ${url}${status ? ` and was answered ${status}` : ''}.`,
  ].filter(Boolean).join(' ');
}
