/** Reed-Solomon codes over the field of 256 elements with the polynomial 0x11D. */

const EXP = new Uint8Array(512);
const LOG = new Uint8Array(256);
for (let at = 0, value = 1; at < 255; at++) {
  EXP[at] = EXP[at + 255] = value;
  LOG[value] = at;
  value <<= 1;
  if (value > 255) value ^= 0x11d;
}

/** @param {number} a @param {number} b */
function times(a, b) {
  return a && b ? EXP[LOG[a] + LOG[b]] : 0;
}

/** The generator's coefficients behind the leading 1. @param {number} degree */
function generator(degree) {
  let made = [1];
  for (let root = 0; root < degree; root++) {
    const next = [...made, 0];
    made.forEach((factor, at) => (next[at + 1] ^= times(factor, EXP[root])));
    made = next;
  }
  return made.slice(1);
}

/**
 * The codewords that let a reader mend others.
 *
 * @param {Uint8Array} data
 * @param {number} count
 */
export function correction(data, count) {
  const factors = generator(count);
  const rest = new Uint8Array(count);
  for (const byte of data) {
    const lead = byte ^ rest[0];
    rest.copyWithin(0, 1);
    rest[count - 1] = 0;
    factors.forEach((factor, at) => (rest[at] ^= times(factor, lead)));
  }
  return rest;
}
