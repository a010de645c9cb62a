/** QR codes of bytes at error correction L (ISO/IEC 18004), the one kind that linking needs. */

import { correction } from "./correction.js";
import { masked } from "./masking.js";
import { Matrix } from "./matrix.js";

/** Error correction codewords in each block, by version (table 9, level L). */
const CHECKS = [
  7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28, 28, 28, 30, 30, 26, 28, 30, 30, 30, 30,
  30, 30, 30, 30, 30, 30, 30, 30, 30, 30,
];
/** Blocks, by version (the same). */
const BLOCKS = [
  1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8, 8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19,
  20, 21, 22, 24, 25,
];
const BYTES = 0b0100;

/**
 * @param {string} text
 * @returns {{version: number, mask: number, rows: Uint8Array[]}} the modules, row by row, 1 for dark ones
 * @throws {RangeError} it is longer than any code
 */
export function encode(text) {
  const data = new TextEncoder().encode(text);
  const version = fitting(data.length);
  const matrix = new Matrix(version);
  matrix.place(interleaved(version, codewords(version, data)));
  return { version, ...masked(matrix) };
}

/** @param {number} length of the data, in bytes */
function fitting(length) {
  for (let version = 1; version <= 40; version++)
    if (12 + (version > 9 ? 8 : 0) + 8 * length <= 8 * capacity(version)) return version;
  throw new RangeError(`${length} bytes are more than a QR code holds`);
}

/** Codewords of a version, for data and checks. @param {number} version */
function total(version) {
  let modules = (16 * version + 128) * version + 64;
  if (version > 1) {
    const aligned = Math.floor(version / 7) + 2;
    modules -= (25 * aligned - 10) * aligned - 55;
  }
  if (version > 6) modules -= 36;
  return Math.floor(modules / 8);
}

/** Codewords for data. @param {number} version */
function capacity(version) {
  return total(version) - CHECKS[version - 1] * BLOCKS[version - 1];
}

/** Mode, length, data and padding. @param {number} version @param {Uint8Array} data */
function codewords(version, data) {
  /** @type {number[]} */
  const bits = [];
  const put = (/** @type {number} */ value, /** @type {number} */ length) => {
    for (let at = length - 1; at >= 0; at--) bits.push((value >>> at) & 1);
  };
  put(BYTES, 4);
  put(data.length, version > 9 ? 16 : 8);
  for (const byte of data) put(byte, 8);
  const room = 8 * capacity(version);
  put(0, Math.min(4, room - bits.length));
  put(0, (8 - (bits.length % 8)) % 8);
  for (let pad = 0xec; bits.length < room; pad ^= 0xec ^ 0x11) put(pad, 8);
  const words = new Uint8Array(room / 8);
  bits.forEach((bit, at) => (words[at >> 3] |= bit << (7 - (at & 7))));
  return words;
}

/** Blocks with their checks, a codeword of each in turn. @param {number} version @param {Uint8Array} words */
function interleaved(version, words) {
  const count = BLOCKS[version - 1];
  const checks = CHECKS[version - 1];
  const short = Math.floor(words.length / count);
  const shorts = count - (words.length % count);
  const blocks = [];
  for (let at = 0, block = 0; block < count; block++) {
    const length = short + (block < shorts ? 0 : 1);
    blocks.push(words.subarray(at, at + length));
    at += length;
  }
  const corrections = blocks.map((block) => correction(block, checks));
  const out = [];
  for (let at = 0; at <= short; at++) for (const block of blocks) if (at < block.length) out.push(block[at]);
  for (let at = 0; at < checks; at++) for (const block of corrections) out.push(block[at]);
  return Uint8Array.from(out);
}
