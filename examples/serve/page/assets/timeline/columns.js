// Fragments of one track, gathered into columns of pixels.

export class Columns {
  #most = new Float32Array(0);
  #sum = new Float32Array(0);
  #count = new Uint32Array(0);

  /** Gathers the fragments in view into `width` columns; `most` and `mean` of a column are parts of the track's largest. */
  gather(row, window, width) {
    if (this.#most.length < width) {
      this.#most = new Float32Array(width);
      this.#sum = new Float32Array(width);
      this.#count = new Uint32Array(width);
    }
    const [most, sum, count] = [this.#most.fill(0), this.#sum.fill(0), this.#count.fill(0)];
    const { starts, ends, heights } = row;
    const scale = width / window.length;
    for (let at = row.at(window.from); at < row.count && starts[at] < window.to; at += 1) {
      const size = heights[at];
      const first = Math.max(0, Math.floor((starts[at] - window.from) * scale));
      const last = Math.min(width - 1, Math.max(first, Math.ceil((ends[at] - window.from) * scale) - 1));
      for (let x = first; x <= last; x += 1) {
        if (size > most[x]) most[x] = size;
        sum[x] += size;
        count[x] += 1;
      }
    }
    return this;
  }

  most(x, largest) { return this.#most[x] / largest; }

  mean(x, largest) { return this.#count[x] === 0 ? 0 : this.#sum[x] / this.#count[x] / largest; }
}
