// On a narrow screen one part of the page is shown at a time.

import { button, byId, el, replace } from "./dom.js";

const PARTS = [
  ["phones", "Phones"],
  ["people", "People"],
  ["chat", "Chat"],
  ["faults", "Faults"],
  ["journal", "Journal"],
];

let unread = 0;

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

/** Says at the people's tab how many messages nobody has looked at. */
export function announce(count) {
  if (count !== unread) {
    unread = count;
    draw();
  }
}

/** Shows the tabs from now on. */
export function start() {
  draw();
}

function draw() {
  const tabs = PARTS.map(([part, label]) =>
    button([label, part === "people" && unread ? badge(unread) : null], () => openTab(part), {
      "data-key": part,
      "aria-current": document.body.dataset.tab === part ? "true" : null,
    }),
  );
  replace(byId("tabs"), tabs);
}

/** How many messages nobody has looked at. */
export function badge(count) {
  return el("span", { class: "badge" }, String(count), el("span", { class: "hidden" }, " new messages"));
}
