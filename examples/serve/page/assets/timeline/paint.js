// Paints the picture: an axis, and one row per track.

import { clock } from '../words.js';
import { Columns } from './columns.js';
import { MARKS } from './model.js';

export const AXIS = 24; // pixels
export const LABEL = 18;
export const BARS = 40;
export const ROW = LABEL + BARS + 8;
export const SIDE = 8; // space at the left and right of the timeline
const NARROW = 3; // a fragment narrower than this is not drawn by itself
const MARK = 8;
const STRIP = 10; // of misaligned fragments that are not drawn by themselves

const columns = new Columns();

/** Paints what is in view. `places` are fragments to outline: `{ row, fragment, colour }`. */
export function paint(context, { model, window, colours, width, height, scale, places }) {
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  const inner = width - 2 * SIDE;
  const x = (time) => SIDE + ((time - window.from) / window.length) * inner;
  model.rows.forEach((row, index) => {
    const top = AXIS + index * ROW + LABEL;
    context.fillStyle = colours.row;
    context.fillRect(SIDE, top, inner, BARS);
    if (row.count === 0) return;
    context.save();
    context.beginPath();
    context.rect(SIDE, top - LABEL, inner, LABEL + BARS + 2);
    context.clip();
    if (isNarrow(row, window, inner)) crowd(context, colours.kind(row.type), row, window, top, inner);
    else bars(context, colours, row, window, x, top);
    irregular(context, colours, row, window, x, top);
    context.restore();
  });
  axis(context, colours, window, x, width);
  for (const { row, fragment, colour } of places) outline(context, colours[colour], row, fragment, x, width);
}

/** Returns how many pixels high the picture of some rows is. */
export function heightOf(rows) {
  return AXIS + rows * ROW + 4;
}

function isNarrow(row, window, inner) {
  const first = row.at(window.from);
  const last = row.at(window.to);
  return inner / (last - first + 1) < NARROW;
}

function bars(context, colours, row, window, x, top) {
  const kind = colours.kind(row.type);
  for (let at = row.at(window.from); at < row.count && row.starts[at] < window.to; at += 1) {
    const left = x(row.starts[at]);
    const wide = Math.max(1, x(row.ends[at]) - left - 1);
    const high = Math.max(1, (row.heights[at] / row.largest) * BARS);
    context.fillStyle = row.marks[at] & MARKS.MISALIGNED ? colours.misaligned.pattern : kind.mean;
    context.fillRect(left, top + BARS - high, wide, high);
  }
}

function crowd(context, kind, row, window, top, inner) {
  const width = Math.floor(inner);
  columns.gather(row, window, width);
  for (const of of ['most', 'mean']) {
    context.fillStyle = kind[of];
    // Columns of one height are one rectangle.
    let [from, height] = [0, -1];
    for (let at = 0; at <= width; at += 1) {
      const part = at < width ? columns[of](at, row.largest) : -1;
      const high = part > 0 ? Math.max(1, Math.round(part * BARS)) : 0;
      if (at < width && high === height) continue;
      if (height > 0) context.fillRect(SIDE + from, top + BARS - height, at - from, height);
      [from, height] = [at, high];
    }
  }
}

function irregular(context, colours, row, window, x, top) {
  const narrow = isNarrow(row, window, x(window.to) - x(window.from));
  const drawn = { [MARKS.GAP]: -1, [MARKS.OVERLAP]: -1, [MARKS.MISALIGNED]: -1 };
  for (const { mark, at, until } of row.irregularities) {
    if (until < window.from) continue;
    if (at > window.to) continue;
    const left = x(Math.max(at, window.from));
    const wide = Math.max(2, x(Math.min(until, window.to)) - left);
    if (left + wide < drawn[mark]) continue; // pixels that have it already
    const { ink, pattern } = mark === MARKS.GAP ? colours.gap : mark === MARKS.OVERLAP ? colours.overlap : colours.misaligned;
    if (mark !== MARKS.MISALIGNED) {
      context.fillStyle = wide < 4 ? ink : pattern;
      context.fillRect(left, top, wide, BARS);
    } else if (narrow) {
      context.fillStyle = wide < 4 ? ink : pattern;
      context.fillRect(left, top + BARS - STRIP, wide, STRIP);
    }
    if (left >= drawn[mark] + MARK || drawn[mark] < 0) {
      context.fillStyle = ink;
      sign(context, mark, left + wide / 2, top - 1);
    }
    drawn[mark] = left + wide;
  }
}

// A gap points down, an overlap is a square on its corner, a misaligned fragment has a dot.
function sign(context, mark, x, bottom) {
  const half = MARK / 2;
  context.beginPath();
  if (mark === MARKS.GAP) {
    context.moveTo(x - half, bottom - MARK);
    context.lineTo(x + half, bottom - MARK);
    context.lineTo(x, bottom);
  } else if (mark === MARKS.OVERLAP) {
    context.moveTo(x, bottom - MARK);
    context.lineTo(x + half, bottom - half);
    context.lineTo(x, bottom);
    context.lineTo(x - half, bottom - half);
  } else {
    context.arc(x, bottom - half, half - 1, 0, 7);
  }
  context.fill();
}

function outline(context, colour, row, fragment, x, width) {
  const [left, right] = [x(row.starts[fragment]), x(row.ends[fragment])];
  if (right < 0 || left > width) return;
  const top = AXIS + row.index * ROW + LABEL;
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.strokeRect(left - 1.5, top - 2, Math.max(3, right - left) + 2, BARS + 4);
}

const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 36000, 86400];

function axis(context, colours, window, x, width) {
  const wanted = window.length / Math.max(1, width / 90);
  const step = STEPS.find((one) => one >= wanted) ?? Math.ceil(wanted / 86400) * 86400;
  const digits = step >= 1 ? 0 : step >= 0.1 ? 1 : 2;
  context.font = colours.font;
  context.textBaseline = 'middle';
  context.lineWidth = 1;
  for (let tick = Math.ceil(window.from / step - 1e-6); tick * step <= window.to + 1e-6; tick += 1) {
    const at = x(tick * step);
    context.fillStyle = colours.line;
    context.fillRect(Math.round(at), AXIS - 5, 1, 4);
    context.fillStyle = colours.muted;
    const text = clock(tick * step, digits);
    const wide = context.measureText(text).width;
    context.fillText(text, Math.min(Math.max(at - wide / 2, 0), width - wide), AXIS / 2 - 2);
  }
}
