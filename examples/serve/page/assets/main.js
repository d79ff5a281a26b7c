// Shows what the address names: the list, or one presentation.

import { askServer } from './api.js';
import { element, replace } from './dom.js';
import { List } from './list.js';
import { Presentation } from './presentation.js';
import * as state from './state.js';

const main = document.getElementById('main');
let shown = null;

function show({ moved }) {
  const wanted = state.read();
  const kind = wanted.title === null ? 'list' : `presentation ${wanted.title}`;
  if (shown?.kind === kind) {
    shown.view.update(wanted);
    return;
  }
  shown?.view.close();
  const view = wanted.title === null ? new List(wanted) : new Presentation(wanted);
  shown = { kind, view };
  replace(main, view.root);
  document.title = wanted.title === null ? 'smooth-origin' : `${wanted.title} · smooth-origin`;
  if (moved) {
    window.scrollTo(0, 0);
    main.querySelector('h1')?.focus({ preventScroll: true });
  }
}

function showServer(server) {
  document.getElementById('listening').textContent = server.listening ?? '';
  const players = Object.entries(server.players ?? {});
  const licence = { 'dash.js': 'dash.js.LICENSE.txt', 'hls.js': 'hls.js.LICENSE.txt' };
  replace(
    document.getElementById('footer'),
    element('span', {}, `smooth-origin ${server.version ?? ''}`),
    ...(server.roots ?? []).map(({ prefix, folder }) => (
      element('span', { class: 'root' }, prefix ? `${prefix} = ` : '', element('bdi', {}, folder))
    )),
    ...players.map(([name, version]) => element(
      'span', {}, `${name} ${version} (`, element('a', { href: `/-/player/${licence[name] ?? ''}` }, 'licence'), ')',
    )),
    element('a', { href: '/-/api/server' }, 'JSON'),
  );
}

state.watch(show);
show({ moved: false });
askServer().then(showServer, () => {});
