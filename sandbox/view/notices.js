// What has just been done, and what could not be.

import { button, byId, el } from "./dom.js";

const SHOWN = 6000; // milliseconds; an error stays until it is put away

/** Says that something was done. */
export function tell(text) {
  const notice = el("p", { class: "notice" }, text);
  place().append(notice);
  setTimeout(() => notice.remove(), SHOWN);
}

/** Says what went wrong. */
export function complain(error) {
  const notice = el("p", { class: "notice bad" }, error.message);
  notice.append(button("Close", () => notice.remove(), { class: "quiet" }));
  place().append(notice);
}

/**
 * Does something on a click: the button waits meanwhile, and what is refused is said.
 *
 * @param {function(): Promise<void>} work
 */
export function doing(work) {
  return async (event) => {
    const clicked = event.currentTarget;
    clicked.setAttribute("aria-busy", "true");
    clicked.disabled = true;
    try {
      await work();
    } catch (error) {
      complain(error);
    } finally {
      clicked.disabled = false;
      clicked.removeAttribute("aria-busy");
    }
  };
}

// What is behind an open dialog can be neither read nor clicked.
function place() {
  return [...document.querySelectorAll("dialog[open]")].at(-1) ?? byId("notices");
}
