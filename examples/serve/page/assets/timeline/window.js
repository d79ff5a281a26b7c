// The part of the timeline that is in view, in seconds.

const SHORTEST = 0.05;

export class Window {
  constructor(end, changed) {
    this.end = Math.max(end, SHORTEST);
    this.changed = changed;
    this.from = 0;
    this.to = this.end;
  }

  get length() { return this.to - this.from; }

  get isWhole() { return this.length >= this.end * 0.9999; }

  /** Shows `length` seconds from `from` on, or as near to it as there is a timeline. */
  set(from, length) {
    const kept = Math.min(Math.max(length, Math.min(SHORTEST, this.end)), this.end);
    const start = Math.min(Math.max(from, 0), this.end - kept);
    if (start === this.from && start + kept === this.to) return;
    this.from = start;
    this.to = start + kept;
    this.changed();
  }

  /** Zooms in (`factor` above 1) or out around a time, which keeps its place. */
  zoom(factor, around = (this.from + this.to) / 2) {
    const length = Math.min(Math.max(this.length / factor, Math.min(SHORTEST, this.end)), this.end);
    this.set(around - (around - this.from) * (length / this.length), length);
  }

  pan(seconds) { this.set(this.from + seconds, this.length); }

  whole() { this.set(0, this.end); }

  /** Brings a range of time into view, in the middle if it was not. */
  reveal(from, to) {
    if (from >= this.from && to <= this.to) return;
    const length = Math.max(this.length, (to - from) * 1.5);
    this.set((from + to) / 2 - length / 2, length);
  }
}
