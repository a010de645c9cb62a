/** What the console says beside its views: to eyes and to screen readers alike. */

import { ApiError } from "./api.js";
import { button, fill, h } from "./dom.js";

const SHOWN = 6000;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {string} id */
const place = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/**
 * Says that something was done; goes away by itself.
 *
 * @param {string} text
 */
export function say(text) {
  clearTimeout(timer);
  fill(place("failed"));
  fill(place("said"), h("p", { class: "notice" }, text));
  timer = setTimeout(() => fill(place("said")), SHOWN);
}

/**
 * Says that something failed, until it is closed or the next thing is said.
 *
 * @param {unknown} error
 */
export function fail(error) {
  if (error instanceof ApiError && error.status === 401) return; // whoever is signed out is told there
  if (!(error instanceof ApiError)) console.error(error);
  const close = button("Close", () => fill(place("failed")), { class: "quiet" });
  fill(place("said"));
  fill(place("failed"), h("p", { class: "notice bad" }, h("span", {}, words(error)), close));
}

export function hush() {
  fill(place("said"));
  fill(place("failed"));
}

/**
 * An error as a sentence.
 *
 * @param {unknown} error
 */
export function words(error) {
  const text = error instanceof Error ? error.message : String(error);
  const again = error instanceof ApiError && error.retryAfter ? ` Try again in ${error.retryAfter} s.` : "";
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".") + again;
}
