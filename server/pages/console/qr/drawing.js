/** A QR code as a picture: black on white in light and in dark, with the margin that readers need. */

import { encode } from "./encoding.js";

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = 4;

/**
 * @param {string} text
 * @returns {SVGSVGElement}
 */
export function picture(text) {
  const { rows } = encode(text);
  const size = rows.length + 2 * MARGIN;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
  svg.setAttribute("shape-rendering", "crispEdges");
  svg.setAttribute("aria-hidden", "true");
  const white = document.createElementNS(SVG, "rect");
  white.setAttribute("width", String(size));
  white.setAttribute("height", String(size));
  white.setAttribute("fill", "#fff");
  const black = document.createElementNS(SVG, "path");
  black.setAttribute(
    "d",
    rows
      .flatMap((row, y) => runs(row).map(([x, length]) => `M${x + MARGIN} ${y + MARGIN}h${length}v1h-${length}z`))
      .join(""),
  );
  black.setAttribute("fill", "#000");
  svg.append(white, black);
  return svg;
}

/** Where dark modules stand side by side. @param {Uint8Array} row @returns {[at: number, length: number][]} */
function runs(row) {
  /** @type {[number, number][]} */
  const found = [];
  for (let x = 0; x < row.length; x++) {
    if (!row[x]) continue;
    if (x && row[x - 1]) found[found.length - 1][1] += 1;
    else found.push([x, 1]);
  }
  return found;
}
