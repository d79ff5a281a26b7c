// The state of the page is the query of its address, so that reload, back and a copied link work.

const NUMBERS = ['stream', 'track', 'fragment', 'from', 'to'];
const TEXTS = ['title', 'search', 'format'];

/** Returns the state that the address names; what it does not name is `null`. */
export function read() {
  const query = new URLSearchParams(location.search);
  const state = {};
  for (const name of TEXTS) state[name] = query.get(name);
  for (const name of NUMBERS) {
    const text = query.get(name);
    const number = Number(text);
    state[name] = text !== null && text !== '' && Number.isFinite(number) && number >= 0 ? number : null;
  }
  return state;
}

/** Returns the address of the state with changes; `null` removes a name. */
export function address(changes, from = read()) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...from, ...changes })) {
    if (value !== null && value !== undefined && value !== '') query.set(name, value);
  }
  const text = query.toString();
  return text ? `/?${text}` : '/';
}

/** Returns the address of a presentation. */
export function addressOf(title) {
  return address({ title }, {});
}

const watchers = [];

/** Calls `watcher` after each change of the address. */
export function watch(watcher) {
  watchers.push(watcher);
}

/** Changes the state. `replaced` leaves no step to go back to; `quiet` calls no watcher. */
export function change(changes, { replaced = false, quiet = false } = {}) {
  const next = address(changes);
  if (next === location.pathname + location.search) return;
  history[replaced ? 'replaceState' : 'pushState'](null, '', next);
  if (!quiet) tell({ moved: false });
}

function tell(how) {
  for (const watcher of watchers) watcher(how);
}

window.addEventListener('popstate', () => tell({ moved: false }));

// Links within the page change the state without loading it again.
document.addEventListener('click', (event) => {
  const link = event.target.closest?.('a[href]');
  if (!link || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const to = new URL(link.href);
  if (to.origin !== location.origin || to.pathname !== '/' || link.hasAttribute('download') || to.hash) return;
  event.preventDefault();
  history.pushState(null, '', to.pathname + to.search);
  tell({ moved: true });
});
