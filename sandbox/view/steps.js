// The first steps of somebody who is new here; they go when they are done.

import { button, byId, el, replace } from "./dom.js";
import { network, watch } from "./network.js";
import { addPerson } from "./people.js";
import { addPhone } from "./phones.js";
import { newest, onRecords } from "./records.js";
import { openCamera } from "./scan.js";
import { choose } from "./selection.js";

/** Shows the steps as long as one is left. */
export function start() {
  watch(["phones", "contacts", "health"], draw);
  onRecords(draw);
}

function draw() {
  const [phone] = network.phones;
  const person = network.contacts.find((contact) => contact.kind === "person");
  const steps = [
    { done: Boolean(phone), text: "Add a phone: a number that is yours.", action: ["Add a phone", addPhone] },
    {
      done: network.phones.some(({ devices }) => devices.length),
      text: "In the console, make a session and start to link it. Then scan its code with the phone.",
      action: phone ? ["Scan a code", () => openCamera(phone)] : null,
    },
    { done: Boolean(person), text: "Add a person to talk to.", action: ["Add a person", addPerson] },
    {
      done: newest.some(({ kind }) => kind === "message" || kind === "sent"),
      text: "Write as the person to the phone, and answer in the console.",
      action: person ? ["Open the chat", () => choose(person.number)] : null,
    },
  ];
  const next = steps.findIndex(({ done }) => !done);
  byId("steps").hidden = next < 0;
  replace(
    byId("steps-list"),
    steps.map(({ done, text, action }, place) =>
      el(
        "li",
        { class: done ? "done" : place === next ? "next" : null },
        el("span", {}, text, done ? el("span", { class: "hidden" }, " (done)") : null),
        !done && action ? button(action[0], action[1], { class: place === next ? "main" : "quiet", "data-key": `step-${place}` }) : null,
      ),
    ),
  );
}
