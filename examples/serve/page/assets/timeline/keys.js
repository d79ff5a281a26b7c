// The keyboard on the picture.

export const HELP = [
  ['← →', 'fragment before, after'],
  ['↑ ↓', 'track above, below'],
  ['Home End', 'first, last fragment'],
  ['N P', 'next, previous gap, overlap or misaligned fragment'],
  ['Enter, Escape', 'to its boxes, and back'],
  ['+ −', 'zoom in, out'],
  ['0', 'the whole timeline'],
  ['Page ↑ ↓, Shift ← →', 'pan'],
  ['S', 'play from here'],
];

const ACTIONS = {
  ArrowLeft: ['step', -1], ArrowRight: ['step', 1], ArrowUp: ['row', -1], ArrowDown: ['row', 1],
  Home: ['end', -1], End: ['end', 1], Enter: ['choose'], ' ': ['choose'],
  '+': ['zoom', 1.5], '=': ['zoom', 1.5], '-': ['zoom', 1 / 1.5], '−': ['zoom', 1 / 1.5], '0': ['whole'],
  PageUp: ['pan', -0.8], PageDown: ['pan', 0.8], n: ['irregular', 1], p: ['irregular', -1], s: ['seek'],
};

/** Listens on `canvas` and calls the action of a key: `on.step(-1)` and so on. */
export function listen(canvas, on) {
  canvas.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    let [action, by] = ACTIONS[event.key] ?? ACTIONS[event.key.toLowerCase()] ?? [];
    if (event.shiftKey && action === 'step') [action, by] = ['pan', by * 0.2];
    if (!action) return;
    event.preventDefault();
    on[action](by);
  });
}
