#!/usr/bin/env node
// Plays presentations as DASH or HLS in headless Chromium, or in Firefox; browser.mjs says what counts as played.
//
//   segmented.mjs CLIENT MANIFEST_URL...
//
// MANIFEST_URL is that of Smooth Streaming: the manifests of DASH and HLS lie beside it.

import { main } from './browser.mjs';

const SHAKA = 'node_modules/shaka-player-5/dist/shaka-player.compiled.js';

const playWithShaka = (video, url, tell) => {
  const told = (error) => tell.failed(`Shaka Player error ${error.code}: ${error.message} ${JSON.stringify(error.data)}`);
  shaka.polyfill.installAll();
  const player = new shaka.Player();
  player.addEventListener('error', ({ detail }) => told(detail));
  player.configure('abr.enabled', false);
  const choose = (place) => {
    const tracks = player.getVariantTracks().sort((one, other) => one.bandwidth - other.bandwidth);
    const { language } = tracks.find((track) => track.active);
    player.selectVariantTrack(tracks.filter((track) => track.language === language).at(place), true);
  };
  player.attach(video).then(() => player.load(url)).then(() => choose(0)).then(() => video.play()).catch(told);
  return { highest: () => choose(-1), otherLanguage: () => player.selectAudioTrack(player.getAudioTracks().at(-1)) };
};

const VIDEO_JS = ['node_modules/video.js/dist/video.min.js'];

const playWithVideoJs = (video, url, tell) => {
  const player = videojs(video, { html5: { vhs: { overrideNative: true } } });
  player.on('error', () => tell.failed(`video.js error ${player.error()?.code}: ${player.error()?.message}`));
  const type = url.endsWith('.mpd') ? 'application/dash+xml' : 'application/vnd.apple.mpegurl';
  player.src({ src: url, type });
  player.ready(() => player.play());
  // The quality is its own choice: what it has buffered it does not replace.
  return {
    otherLanguage: () => { player.audioTracks()[player.audioTracks().length - 1].enabled = true; },
  };
};

const CLIENTS = {
  'hls.js': {
    manifest: 'master.m3u8',
    scripts: ['node_modules/hls.js/dist/hls.min.js'],
    start: (video, url, tell) => {
      const player = new Hls();
      player.on(Hls.Events.ERROR, (_, { fatal, type, details, error }) => {
        if (fatal) tell.failed(`hls.js error ${type} ${details}: ${error?.message}`);
      });
      player.loadSource(url);
      player.attachMedia(video);
      player.on(Hls.Events.MANIFEST_PARSED, () => {
        player.currentLevel = 0;
        video.play();
      });
      return {
        highest: () => { player.currentLevel = player.levels.length - 1; },
        otherLanguage: () => { player.audioTrack = player.audioTracks.length - 1; },
      };
    },
  },
  'shaka-hls': { manifest: 'master.m3u8', scripts: [SHAKA], start: playWithShaka },
  'shaka-dash': { manifest: 'manifest.mpd', scripts: [SHAKA], start: playWithShaka },
  'video.js-hls': { manifest: 'master.m3u8', scripts: VIDEO_JS, start: playWithVideoJs },
  'video.js-dash': { manifest: 'manifest.mpd', scripts: VIDEO_JS, start: playWithVideoJs },
  'dashjs-dash': {
    manifest: 'manifest.mpd',
    scripts: ['node_modules/dashjs/dist/modern/umd/dash.all.min.js'],
    start: (video, url, tell) => {
      const player = dashjs.MediaPlayer().create();
      player.on('error', ({ error }) => tell.failed(`dash.js error ${error.code ?? ''}: ${error.message ?? error}`));
      player.on('playbackEnded', tell.ended);
      player.updateSettings({ streaming: { abr: { autoSwitchBitrate: { video: false }, initialBitrate: { video: 1 } } } });
      player.initialize(video, url, true);
      return {
        highest: () => {
          player.setRepresentationForTypeByIndex('video', player.getRepresentationsByType('video').length - 1, true);
        },
        otherLanguage: () => player.setCurrentTrack(player.getTracksFor('audio').at(-1)),
      };
    },
  },
  'rx-dash': {
    manifest: 'manifest.mpd',
    scripts: ['rx-player.js'],
    start: (video, url, tell) => {
      const player = new RxPlayer({ videoElement: video });
      player.addEventListener('error', (error) => tell.failed(`RxPlayer error ${error.code}: ${error.message}`));
      // The first lock is lost if the track is chosen after it.
      let place = 0;
      const lock = () => {
        if (!player.getVideoTrack()) return;
        const all = player.getVideoTrack().representations.toSorted((one, other) => one.bitrate - other.bitrate);
        player.lockVideoRepresentations({ representations: [all.at(place).id], switchingMode: 'reload' });
      };
      for (const event of ['newAvailablePeriods', 'periodChange', 'videoTrackChange']) player.addEventListener(event, lock);
      player.loadVideo({ url, transport: 'dash', autoPlay: true });
      return {
        highest: () => {
          place = -1;
          lock();
        },
        otherLanguage: () => {
          player.setAudioTrack({ trackId: player.getAvailableAudioTracks().at(-1).id, switchingMode: 'reload' });
        },
      };
    },
  },
};

const [name] = process.argv.splice(2, 1);
const [, client, firefox] = name?.match(/^(.*?)(-firefox)?$/) ?? [];
if (!CLIENTS[client]) {
  console.error(`segmented.mjs: the client is one of ${Object.keys(CLIENTS).join(', ')}, or one of these with -firefox`);
  process.exit(2);
}
await main({ name, ...CLIENTS[client], inFirefox: Boolean(firefox) });
