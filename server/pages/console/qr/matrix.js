/** The square of a QR code: what every code has, and where the data goes. */

export class Matrix {
  /**
   * @param {number} version 1 to 40
   */
  constructor(version) {
    this.version = version;
    this.size = 17 + 4 * version;
    /** Dark modules. */
    this.rows = square(this.size);
    /** Modules that are no data. */
    this.fixed = square(this.size);
    this.#timing();
    for (const [x, y] of [
      [3, 3],
      [this.size - 4, 3],
      [3, this.size - 4],
    ])
      this.#finder(x, y);
    this.#alignments();
    this.format(0);
    if (version > 6) this.#versions();
  }

  /**
   * Puts codewords on the free modules, upwards and downwards in columns of two from the right.
   *
   * @param {Uint8Array} words
   */
  place(words) {
    let at = 0;
    for (let right = this.size - 1; right > 0; right -= 2) {
      if (right === 6) right = 5; // the column of the timing pattern
      const up = ((right + 1) & 2) === 0;
      for (let step = 0; step < this.size; step++) {
        const y = up ? this.size - 1 - step : step;
        for (const x of [right, right - 1]) {
          if (this.fixed[y][x]) continue;
          if (at < 8 * words.length) this.rows[y][x] = (words[at >> 3] >> (7 - (at & 7))) & 1;
          at += 1;
        }
      }
    }
  }

  /** Tells level L and the mask, twice. @param {number} mask */
  format(mask) {
    const data = (0b01 << 3) | mask;
    const bits = ((data << 10) | remainder(data, 10, 0x537)) ^ 0x5412;
    const { size } = this;
    for (let at = 0; at < 15; at++) {
      const bit = (bits >> at) & 1;
      if (at < 6) this.#set(8, at, bit);
      else if (at < 8) this.#set(8, at + 1, bit);
      else if (at === 8) this.#set(7, 8, bit);
      else this.#set(14 - at, 8, bit);
      if (at < 8) this.#set(size - 1 - at, 8, bit);
      else this.#set(8, size - 15 + at, bit);
    }
    this.#set(8, size - 8, 1);
  }

  #versions() {
    const bits = (this.version << 12) | remainder(this.version, 12, 0x1f25);
    for (let at = 0; at < 18; at++) {
      const far = this.size - 11 + (at % 3);
      const near = Math.floor(at / 3);
      this.#set(far, near, (bits >> at) & 1);
      this.#set(near, far, (bits >> at) & 1);
    }
  }

  #timing() {
    for (let at = 0; at < this.size; at++) {
      this.#set(6, at, 1 - (at % 2));
      this.#set(at, 6, 1 - (at % 2));
    }
  }

  /** @param {number} x @param {number} y its middle */
  #finder(x, y) {
    for (let dy = -4; dy <= 4; dy++)
      for (let dx = -4; dx <= 4; dx++) {
        const ring = Math.max(Math.abs(dx), Math.abs(dy));
        if (x + dx >= 0 && x + dx < this.size && y + dy >= 0 && y + dy < this.size)
          this.#set(x + dx, y + dy, Number(ring !== 2 && ring !== 4));
      }
  }

  #alignments() {
    const places = alignments(this.version, this.size);
    const last = places.length - 1;
    places.forEach((x, column) =>
      places.forEach((y, row) => {
        const corner = (column === 0 && row === 0) || (column === 0 && row === last) || (column === last && row === 0);
        if (corner) return; // a finder stands there
        for (let dy = -2; dy <= 2; dy++)
          for (let dx = -2; dx <= 2; dx++)
            this.#set(x + dx, y + dy, Number(Math.max(Math.abs(dx), Math.abs(dy)) !== 1));
      }),
    );
  }

  /** @param {number} x @param {number} y @param {number} dark */
  #set(x, y, dark) {
    this.rows[y][x] = dark;
    this.fixed[y][x] = 1;
  }
}

/** @param {number} size */
function square(size) {
  return Array.from({ length: size }, () => new Uint8Array(size));
}

/** Where alignment patterns have their middles, in either direction. @param {number} version @param {number} size */
function alignments(version, size) {
  if (version === 1) return [];
  const count = Math.floor(version / 7) + 2;
  const step = version === 32 ? 26 : Math.ceil((4 * version + 4) / (2 * count - 2)) * 2;
  const places = [6];
  for (let at = size - 7; places.length < count; at -= step) places.splice(1, 0, at);
  return places;
}

/** The remainder of a binary polynomial. @param {number} data @param {number} degree @param {number} divisor */
function remainder(data, degree, divisor) {
  let rest = data;
  for (let step = 0; step < degree; step++) rest = (rest << 1) ^ ((rest >> (degree - 1)) * divisor);
  return rest;
}
