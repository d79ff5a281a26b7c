// hls.js: HLS. It has the shape of dashjs.js.

import { script } from './script.js';

export async function start(video, captions, url, on) {
  await script('hls.min.js');
  const { Hls } = globalThis;
  const player = new Hls();
  const { MANIFEST_PARSED, LEVEL_SWITCHED, AUDIO_TRACK_SWITCHED, AUDIO_TRACKS_UPDATED, SUBTITLE_TRACKS_UPDATED, ERROR } = Hls.Events;
  for (const event of [MANIFEST_PARSED, LEVEL_SWITCHED, AUDIO_TRACK_SWITCHED, AUDIO_TRACKS_UPDATED, SUBTITLE_TRACKS_UPDATED]) {
    player.on(event, on.changed);
  }
  player.on(MANIFEST_PARSED, () => video.play().catch(() => {}));
  let recovered = false;
  player.on(ERROR, (_, error) => {
    if (!error.fatal) return;
    if (error.type === Hls.ErrorTypes.MEDIA_ERROR && !recovered) {
      recovered = true;
      player.recoverMediaError();
      return;
    }
    on.failed(words(error));
  });
  player.loadSource(url);
  player.attachMedia(video);
  return new Engine(player);
}

class Engine {
  #player;

  constructor(player) {
    this.#player = player;
  }

  choices(kind) {
    const player = this.#player;
    if (kind === 'quality') {
      return player.levels.map(({ bitrate, width, height }, place) => ({
        id: String(place), bitrate, width, height, chosen: !player.autoLevelEnabled && player.currentLevel === place,
      })).toSorted((a, b) => b.bitrate - a.bitrate);
    }
    const [tracks, now] = kind === 'audio' ? [player.audioTracks, player.audioTrack] : [player.subtitleTracks, player.subtitleTrack];
    return tracks.map(({ lang, name }, place) => ({ id: String(place), language: lang, label: name, chosen: place === now }));
  }

  choose(kind, id) {
    const player = this.#player;
    if (kind === 'quality') player.currentLevel = id === 'auto' ? -1 : Number(id);
    else if (kind === 'audio') player.audioTrack = Number(id);
    else player.subtitleTrack = id === 'off' ? -1 : Number(id);
  }

  playing() {
    const level = this.#player.levels[this.#player.currentLevel];
    return level && { bitrate: level.bitrate, width: level.width, height: level.height };
  }

  media(_, epoch) {
    const date = this.#player.playingDate;
    return date && Number.isFinite(epoch) ? date.getTime() / 1000 - epoch : null;
  }

  close() {
    this.#player.destroy();
  }
}

function words({ type, details, response, url, frag, error }) {
  const asked = url ?? frag?.url;
  return [
    `hls.js reports: ${details ?? type}${error?.message ? `, ${error.message}` : ''}.`,
    asked && `It asked for ${asked}${response?.code ? ` and was answered ${response.code}` : ''}.`,
  ].filter(Boolean).join(' ');
}
