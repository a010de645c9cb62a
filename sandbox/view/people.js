// The people on the network: who they are, and whether they can be found.

import { at, call } from "./api.js";
import { button, byId, el, replace } from "./dom.js";
import { ask } from "./form-dialog.js";
import { freeName, freeNumber, fullName } from "./names.js";
import { network, refresh, watch } from "./network.js";
import { tell } from "./notices.js";
import { badge } from "./tabs.js";
import { choose, onSelection, selection, unreadOf } from "./selection.js";

const FIRST_NUMBER = "628120000001";
const MANY = 12;
const MOST = 100; // shown at once; more are found by their names
const NUMBER = { pattern: "\\+?[0-9]{5,15}", inputmode: "numeric" };

let wanted = "";

/** Shows the people from now on. */
export function start() {
  byId("add-person").addEventListener("click", addPerson);
  byId("people-filter").addEventListener("input", (event) => {
    wanted = event.target.value.trim().toLowerCase();
    draw();
  });
  watch(["contacts", "faults"], draw);
  onSelection(draw);
}

/** Asks for a new person. */
export function addPerson() {
  ask({
    title: "Add a person",
    about: "Somebody with a WhatsApp of their own. It takes some seconds: a real client is started for them.",
    fields: [
      { name: "name", label: "Name", value: freeName() },
      { name: "number", label: "Number", kind: "tel", value: freeNumber(FIRST_NUMBER), hint: "5 to 15 digits", limits: NUMBER },
      {
        name: "kind",
        label: "Kind",
        kind: "select",
        options: [
          ["person", "Person: reads and writes"],
          ["sink", "Sink: takes every message and says nothing"],
        ],
      },
    ],
    action: "Add",
    run: async ({ number, ...fields }) => {
      const contact = await call("PUT", at("contacts", number), fields);
      tell(`${fullName(contact)} is on the network.`);
      await refresh();
      if (contact.kind === "person") {
        await choose(contact.number);
      }
    },
  });
}

/** Asks for another name. */
export function renamePerson(contact) {
  ask({
    title: `Rename ${fullName(contact)}`,
    about: "Others see the new name with the next message.",
    fields: [{ name: "name", label: "Name", value: contact.name }],
    action: "Rename",
    run: async ({ name }) => {
      await call("PUT", at("contacts", contact.number), { name, kind: contact.kind });
      await refresh();
    },
  });
}

/** Asks for the invite of a group that a person is to join. */
export function followInvite(contact) {
  ask({
    title: `Join a group as ${fullName(contact)}`,
    fields: [{ name: "code", label: "Invite", hint: "The link or the code in it" }],
    action: "Join",
    run: async ({ code }) => {
      const group = await call("POST", `${at("contacts", contact.number)}/groups`, { code });
      tell(`${fullName(contact)} is in the group ${group.subject}.`);
      await refresh();
    },
  });
}

/** The fault that hides somebody from those who look the number up; undefined where there is none. */
export function absence(number) {
  return network.faults.find((fault) => fault.kind === "absent" && fault.number === number);
}

function draw() {
  const filter = byId("people-filter");
  filter.hidden = network.contacts.length <= MANY;
  const found = network.contacts.filter((contact) => fullName(contact).toLowerCase().includes(wanted));
  const more = found.length > MOST ? el("li", { class: "empty" }, `and ${found.length - MOST} more: find them by name`) : null;
  const empty = el("li", { class: "empty" }, network.contacts.length ? "Nobody is called so." : "Nobody yet.");
  replace(byId("person-list"), found.length ? found.slice(0, MOST).map(row) : empty, more);
}

function row(contact) {
  const count = unreadOf(contact.number);
  const words = [contact.number];
  if (contact.kind === "sink") {
    words.push("sink, says nothing");
  } else if (!contact.online) {
    words.push("offline");
  }
  if (absence(contact.number)) {
    words.push("not on WhatsApp");
  }
  const what = el("span", { class: "what" }, contact.name || contact.number, el("small", {}, words.join(" · ")));
  const dot = el("span", { class: contact.online || contact.kind === "sink" ? "dot on" : "dot", "aria-hidden": "true" });
  if (contact.kind !== "person") {
    return el("li", { class: "row" }, dot, what, button("Rename", () => renamePerson(contact), { class: "quiet", "data-key": `rename-${contact.number}` }));
  }
  const chosen = contact.number === selection.person;
  return el(
    "li",
    {},
    el(
      "button",
      {
        type: "button",
        class: "row pick",
        onclick: () => choose(contact.number),
        "aria-current": chosen ? "true" : null,
        "data-key": `person-${contact.number}`,
      },
      dot,
      what,
      count ? badge(count) : null,
    ),
  );
}
