#!/usr/bin/env node
// Plays manifests with RxPlayer in headless Chromium; browser.mjs says what counts as played.

import { main } from './browser.mjs';

await main({
  name: 'rxplayer',
  scripts: ['rx-player.js'], // bundled by install.sh
  start: (video, url, tell) => {
    const player = new RxPlayer({ videoElement: video });
    player.addEventListener('error', (error) => tell.failed(`RxPlayer error ${error.code}: ${error.message}`));
    player.loadVideo({ url, transport: 'smooth', autoPlay: true });
  },
});
