// The timeline in seconds from the beginning of the presentation, in arrays that are quick to go through.

import { bitrate } from '../words.js';

const GAP = 1;
const OVERLAP = 2;
const MISALIGNED = 4;
export const MARKS = { GAP, OVERLAP, MISALIGNED };

export class Model {
  constructor(timeline, presentation) {
    const filled = timeline.streams.filter((stream) => stream.tracks.some((track) => track.starts.length > 0));
    // Times may count from 1970 in ticks above 2^53: the difference is made before the numbers become floating.
    const origins = filled.flatMap((stream) => stream.tracks.filter((track) => track.starts.length > 0).map((track) => (
      seconds(BigInt(stream.first) + BigInt(track.starts[0]), stream.timescale)
    )));
    const origin = origins.length > 0 ? Math.min(...origins) : 0;
    /** Time of the media where the timeline begins, in seconds. */
    this.origin = origin;
    this.rows = timeline.streams.flatMap((stream, number) => stream.tracks.map((track, place) => new Row({
      stream: number,
      track: place,
      of: stream,
      times: track,
      offset: seconds(BigInt(stream.first), stream.timescale) - origin,
      described: presentation.streams[number]?.tracks[place] ?? {},
      name: timeline.name,
      single: stream.tracks.length === 1,
    })));
    this.end = this.rows.reduce((end, row) => Math.max(end, row.last), 0);
    this.rows.forEach((row, index) => { row.index = index; });
    this.irregularities = this.rows.flatMap((row) => row.irregularities);
    this.irregularities.sort((one, other) => one.at - other.at || one.row.index - other.row.index);
  }

  row(stream, track) {
    return this.rows.find((row) => row.stream === stream && row.track === track) ?? null;
  }
}

function seconds(ticks, timescale) {
  const scale = BigInt(timescale);
  return Number(ticks / scale) + Number(ticks % scale) / timescale;
}

/** One track. */
export class Row {
  constructor({ stream, track, of, times, offset, described, name, single }) {
    this.stream = stream;
    this.track = track;
    this.type = of.type;
    this.count = times.starts.length;
    this.label = [of.name || of.type, !single && bitrate(described.bitrate), described.width && `${described.width}×${described.height}`,
      times.sizes_unknown && 'sizes not known yet', this.count === 0 && 'nothing stored']
      .filter(Boolean).join(' · ');
    this.first = BigInt(of.first);
    this.relative = times.starts;
    this.durations = times.durations;
    this.sizes = times.sizes;
    this.largest = times.sizes.reduce((most, size) => Math.max(most, size), 1);
    // Fragments in files of their own may have no size yet: these are drawn at half the height.
    this.heights = times.sizes_unknown ? times.sizes.map((size) => size || this.largest / 2) : times.sizes;
    this.leftOut = times.left_out ?? 0;
    this.starts = Float64Array.from(times.starts, (ticks) => offset + ticks / of.timescale);
    this.ends = Float64Array.from(times.starts, (ticks, at) => offset + (ticks + times.durations[at]) / of.timescale);
    this.last = this.ends.reduce((last, end) => Math.max(last, end), 0);
    this.marks = new Uint8Array(this.count);
    this.#mark((times.gaps ?? []).map(({ after }) => after), GAP);
    this.#mark((times.overlaps ?? []).map(({ after }) => after), OVERLAP);
    this.#mark(times.misaligned ?? [], MISALIGNED);
    this.irregularities = this.#irregularities();
    this.url = times.url;
    this.name = name;
  }

  #mark(places, mark) {
    for (const place of places) if (place < this.count) this.marks[place] |= mark;
  }

  isGap(fragment) { return (this.marks[fragment] & GAP) !== 0; }

  isOverlap(fragment) { return (this.marks[fragment] & OVERLAP) !== 0; }

  isMisaligned(fragment) { return (this.marks[fragment] & MISALIGNED) !== 0; }

  /** Returns whether the size of a fragment is known before somebody has asked for it. */
  hasSize(fragment) { return this.heights === this.sizes || this.sizes[fragment] > 0; }

  /** Returns the start of a fragment in ticks, however large. */
  ticks(fragment) {
    return (this.first + BigInt(Math.round(this.relative[fragment]))).toString();
  }

  /** Returns the place of the fragment that starts at these ticks; -1 if there is none. */
  find(ticks) {
    const relative = Number(BigInt(ticks) - this.first);
    return this.relative.indexOf(relative);
  }

  /** Returns the path of a fragment's URL. */
  address(fragment) {
    const path = this.name.split('/').map(encodeURIComponent).join('/');
    return `/${path}/${this.url.replace('{start time}', this.ticks(fragment))}`;
  }

  /** Returns the place of the last fragment that starts at or before a time; the first one's if none does. */
  at(time) {
    let [low, high] = [0, this.count - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle] <= time) low = middle;
      else high = middle - 1;
    }
    return Math.max(0, low);
  }

  // Gaps, overlaps and misaligned fragments: `{ row, fragment, mark, at, until }`.
  #irregularities() {
    const found = [];
    for (let fragment = 0; fragment < this.count; fragment += 1) {
      const marks = this.marks[fragment];
      if (marks === 0) continue;
      const [end, next] = [this.ends[fragment], this.starts[fragment + 1] ?? this.ends[fragment]];
      if (marks & GAP) found.push({ row: this, fragment, mark: GAP, at: end, until: next });
      if (marks & OVERLAP) found.push({ row: this, fragment, mark: OVERLAP, at: next, until: end });
      if (marks & MISALIGNED) {
        found.push({ row: this, fragment, mark: MISALIGNED, at: this.starts[fragment], until: end });
      }
    }
    return found;
  }
}
