/** Masks: of the eight patterns that may lie over the data, the one that readers like best. */

/** @type {((x: number, y: number) => boolean)[]} */
const MASKS = [
  (x, y) => (x + y) % 2 === 0,
  (_, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];
const LIKE_A_FINDER = ["10111010000", "00001011101"];

/**
 * @param {import("./matrix.js").Matrix} matrix with its data
 * @returns {{mask: number, rows: Uint8Array[]}}
 */
export function masked(matrix) {
  let best = { mask: 0, rows: matrix.rows, cost: Infinity };
  for (let mask = 0; mask < MASKS.length; mask++) {
    matrix.format(mask);
    const rows = matrix.rows.map((row, y) =>
      row.map((dark, x) => dark ^ Number(!matrix.fixed[y][x] && MASKS[mask](x, y))),
    );
    const cost = penalty(rows);
    if (cost < best.cost) best = { mask, rows, cost };
  }
  return { mask: best.mask, rows: best.rows };
}

/** What makes a code hard to read (section 7.8.3). @param {Uint8Array[]} rows */
function penalty(rows) {
  const size = rows.length;
  const lines = [...rows.map((row) => row.join("")), ...rows.map((_, x) => rows.map((row) => row[x]).join(""))];
  let cost = 0;
  for (const line of lines) {
    for (const [run] of line.matchAll(/0{5,}|1{5,}/g)) cost += run.length - 2;
    for (const pattern of LIKE_A_FINDER)
      for (let at = line.indexOf(pattern); at >= 0; at = line.indexOf(pattern, at + 1)) cost += 40;
  }
  for (let y = 1; y < size; y++)
    for (let x = 1; x < size; x++) {
      const sum = rows[y][x] + rows[y][x - 1] + rows[y - 1][x] + rows[y - 1][x - 1];
      if (sum === 0 || sum === 4) cost += 3;
    }
  const dark = rows.reduce((sum, row) => sum + row.reduce((count, one) => count + one, 0), 0);
  return cost + 10 * Math.floor(Math.abs((20 * dark) / (size * size) - 10));
}
