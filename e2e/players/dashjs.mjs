#!/usr/bin/env node
// Plays manifests with dash.js in headless Chromium; browser.mjs says what counts as played.

import { main } from './browser.mjs';

await main({
  name: 'dash.js',
  scripts: ['all', 'mss'].map((part) => `node_modules/dashjs/dist/modern/umd/dash.${part}.min.js`),
  start: (video, url, tell) => {
    const player = dashjs.MediaPlayer().create();
    player.on('error', ({ error }) => tell.failed(`dash.js error ${error.code ?? ''}: ${error.message ?? error}`));
    // dash.js 5.2.1 rounds the duration down to a millisecond and looks every 200 ms whether it is over. When it is first,
    // it pauses half a second before the end, and the element itself never ends.
    player.on('playbackEnded', tell.ended);
    player.initialize(video, url, true);
  },
});
