#!/usr/bin/env node
// Plays manifests with Shaka Player in headless Chromium; browser.mjs says what counts as played.

import { main } from './browser.mjs';

await main({
  name: 'shaka',
  // Shaka writes the init segments with codem-isoboxer, which it looks for as a global.
  scripts: ['node_modules/codem-isoboxer/dist/iso_boxer.min.js', 'node_modules/shaka-player/dist/shaka-player.compiled.js'],
  start: (video, url, tell) => {
    const told = (error) => tell.failed(`Shaka Player error ${error.code}: ${error.message} ${JSON.stringify(error.data)}`);
    shaka.polyfill.installAll();
    const player = new shaka.Player();
    player.addEventListener('error', ({ detail }) => told(detail));
    // No type is named here: Shaka takes the manifest for Smooth only if the origin says application/vnd.ms-sstr+xml.
    player.attach(video).then(() => player.load(url)).then(() => video.play()).catch(told);
  },
});
