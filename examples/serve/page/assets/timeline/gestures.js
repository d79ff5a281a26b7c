// Mouse, pen and fingers on the picture: wheel and pinch zoom, a drag pans, a click chooses.

const FAR = 5; // pixels: a press that moves further is a drag

/** Listens on `canvas`. `on` has `zoom(factor, x)`, `pan(pixels)`, `hover(x, y)`, `leave()`, `press(x, y)`, `isWhole()`. */
export function listen(canvas, on) {
  const pointers = new Map();
  let moved = 0;
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const spread = () => {
    const [one, other] = pointers.values();
    return { distance: Math.max(20, Math.abs(one.x - other.x)), middle: (one.x + other.x) / 2 };
  };

  canvas.addEventListener('wheel', (event) => {
    const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 30 : 1;
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      if (on.isWhole()) return;
      event.preventDefault();
      on.pan(-sideways * unit);
      return;
    }
    // Where nothing is left to zoom out, the page scrolls on.
    if (event.deltaY > 0 && on.isWhole() && !event.ctrlKey) return;
    event.preventDefault();
    on.zoom(Math.exp((-event.deltaY * unit) / (event.ctrlKey ? 120 : 400)), place(event).x);
  }, { passive: false });

  canvas.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, place(event));
    moved = pointers.size === 1 ? 0 : Infinity;
  });

  canvas.addEventListener('pointermove', (event) => {
    const now = place(event);
    const before = pointers.get(event.pointerId);
    if (!before) {
      on.hover(now.x, now.y);
      return;
    }
    if (pointers.size === 1) {
      moved += Math.abs(now.x - before.x) + Math.abs(now.y - before.y);
      pointers.set(event.pointerId, now);
      if (moved > FAR) on.pan(now.x - before.x);
    } else if (pointers.size === 2) {
      const old = spread();
      pointers.set(event.pointerId, now);
      const next = spread();
      on.pan(next.middle - old.middle);
      on.zoom(next.distance / old.distance, next.middle);
    }
  });

  const end = (event) => {
    const before = pointers.get(event.pointerId);
    pointers.delete(event.pointerId);
    if (before && event.type === 'pointerup' && moved <= FAR) on.press(before.x, before.y);
  };
  canvas.addEventListener('pointerup', end);
  canvas.addEventListener('pointercancel', end);
  canvas.addEventListener('pointerleave', () => on.leave());
}
