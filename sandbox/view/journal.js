// The newest records of everybody, in plain words.

import { byId, el, replace } from "./dom.js";
import { inWords, receiptInWords } from "./message.js";
import { groupOf, nameOf } from "./names.js";
import { watch } from "./network.js";
import { newest, onRecords } from "./records.js";

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** Shows the journal from now on. */
export function start() {
  onRecords(draw);
  watch(["phones", "contacts", "groups"], draw);
}

function draw() {
  const lines = newest
    .map((entry) => el("li", {}, el("time", {}, clock.format(entry.record.timestamp)), el("span", {}, words(entry))))
    .reverse();
  replace(byId("journal-list"), lines.length ? lines : el("li", { class: "empty" }, "Nothing has happened yet."));
}

function words({ number, kind, record }) {
  const me = nameOf(number);
  const where = groupOf(record.chat) ? ` in ${nameOf(record.chat)}` : "";
  switch (kind) {
    case "message":
      return `${me} heard from ${nameOf(record.from)}${where}: ${inWords(record)}`;
    case "sent":
      return `${me} sent to ${nameOf(record.chat)}: ${inWords(record)}`;
    case "receipt":
      return `${me} was told${where}: ${receiptInWords(record.type, record.from)}${record.ids.length > 1 ? ` (${record.ids.length} messages)` : ""}`;
    default:
      return `${me} saw that ${nameOf(record.from)} is ${record.state}${where}`;
  }
}
