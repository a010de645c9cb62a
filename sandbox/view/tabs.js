// On a narrow screen one part of the page is shown at a time.

import { byId, button, replace } from "./dom.js";

const PARTS = [
  ["phones", "Phones"],
  ["people", "People"],
  ["chat", "Chat"],
  ["faults", "Faults"],
  ["journal", "Journal"],
];

const narrow = matchMedia("(max-width: 759px)");

/** The part that is shown alone; on a wide screen all are, and the chat among them. */
export function shownTab() {
  return narrow.matches ? document.body.dataset.tab : "chat";
}

/** Shows a part, where only one fits. */
export function openTab(part) {
  document.body.dataset.tab = part;
  draw();
}

/** Shows the tabs from now on. */
export function start() {
  draw();
}

function draw() {
  const tabs = PARTS.map(([part, label]) =>
    button(label, () => openTab(part), {
      "data-key": part,
      "aria-current": document.body.dataset.tab === part ? "true" : null,
    }),
  );
  replace(byId("tabs"), tabs);
}
