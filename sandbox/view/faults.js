// The faults: what each does to the gateway, on and off with the mouse, and which are on.

import { at, call } from "./api.js";
import { button, byId, el, freshId, replace } from "./dom.js";
import { fullName, nameOf } from "./names.js";
import { network, refresh, watch } from "./network.js";
import { complain, doing, tell } from "./notices.js";

const LIMITS = [
  ["", "until it is turned off", {}],
  ["once", "once", { count: 1 }],
  ["three", "three times", { count: 3 }],
  ["half", "for 30 seconds", { seconds: 30 }],
  ["two", "for 2 minutes", { seconds: 120 }],
];

let kinds = [];
let whom = null;
let limit = null;
let wasChosen = false; // whom it hits, by the user

/** Shows the faults from now on. */
export async function start() {
  byId("clear-faults").addEventListener(
    "click",
    doing(async () => {
      await call("DELETE", "faults");
      await refresh();
    }),
  );
  drawTarget();
  watch(["faults", "phones", "contacts"], drawActive);
  watch(["phones", "contacts"], drawWhom);
  try {
    kinds = await call("GET", "faults/kinds");
  } catch (error) {
    complain(error);
  }
  drawKinds();
  drawActive();
}

function drawTarget() {
  const [whoId, longId] = [freshId("whom"), freshId("limit")];
  whom = el("select", { id: whoId, onchange: () => (wasChosen = true) });
  limit = el("select", { id: longId }, LIMITS.map(([value, label]) => el("option", { value }, label)));
  replace(
    byId("fault-target"),
    el("div", { class: "field" }, el("label", { for: whoId }, "Whom it hits"), whom),
    el("div", { class: "field" }, el("label", { for: longId }, "How long"), limit),
  );
}

function drawWhom() {
  const before = whom.value;
  const option = (account) => el("option", { value: account.number }, fullName(account));
  replace(
    whom,
    el("option", { value: "" }, "everybody"),
    network.phones.length ? el("optgroup", { label: "Phones" }, network.phones.map(option)) : null,
    network.contacts.length ? el("optgroup", { label: "People" }, network.contacts.map(option)) : null,
  );
  // What is tried here is the gateway: its connections are those of the phones' devices.
  const sensible = network.phones.find(({ devices }) => devices.length)?.number ?? "";
  whom.value = wasChosen ? before : sensible;
  if (whom.selectedIndex < 0) {
    whom.value = "";
  }
}

function drawKinds() {
  const groups = new Map();
  for (const kind of kinds) {
    groups.set(kind.about, [...(groups.get(kind.about) ?? []), kind]);
  }
  replace(
    byId("fault-kinds"),
    [...groups].map(([about, members], place) =>
      el("details", { class: "fault-group", open: place === 0 }, el("summary", {}, about), el("ul", { class: "cards" }, members.map(card))),
    ),
  );
}

function card(kind) {
  const inputs = kind.fields.map(setting);
  const turnOn = doing(async () => {
    const own = Object.fromEntries(inputs.map(({ name, read }) => [name, read()]));
    const number = whom.value ? { number: whom.value } : {};
    const chosen = LIMITS.find(([value]) => value === limit.value)[2];
    const fault = await call("POST", "faults", { kind: kind.kind, ...own, ...number, ...(happensOnce(kind, own) ? {} : chosen) });
    if (happensOnce(kind, own)) {
      tell(`Done: ${kind.title}, for ${fault.number ? nameOf(fault.number) : "everybody"}.`);
    }
    await refresh();
  });
  return el(
    "li",
    { class: "card fault", "data-kind": kind.kind },
    el(
      "div",
      { class: "head" },
      el("h3", {}, kind.title, el("code", {}, kind.kind)),
      button("Turn on", turnOn, { "aria-label": `Turn on: ${kind.title}` }),
    ),
    el("p", { class: "about" }, kind.does),
    inputs.length ? el("div", { class: "settings" }, inputs.map(({ row }) => row)) : null,
  );
}

// These are not active for a while: they happen when they are asked for.
function happensOnce({ kind }, own) {
  return kind === "stream_error" || (kind === "cut" && own.when === "now");
}

function setting(field) {
  const id = freshId("setting");
  if (field.types.includes("boolean")) {
    const box = el("input", { type: "checkbox", id, checked: Boolean(field.default) });
    return { name: field.name, row: el("div", { class: "field check" }, box, el("label", { for: id }, field.label)), read: () => box.checked };
  }
  const numeric = field.types.includes("number") || field.types.includes("integer");
  let input;
  let read;
  if (field.choices.length) {
    input = el("select", { id }, field.choices.map((choice, place) => el("option", { value: place }, String(choice).replaceAll("_", " "))));
    input.value = String(field.choices.indexOf(field.default));
    read = () => field.choices[Number(input.value)];
  } else if (numeric) {
    input = el("input", { id, type: "number", min: field.minimum, step: field.types.includes("number") ? "any" : 1, value: field.default });
    read = () => Number(input.value);
  } else {
    input = el("input", { id, type: "text", value: field.default });
    read = () => input.value;
  }
  return { name: field.name, row: el("div", { class: "field" }, el("label", { for: id }, field.label), input), read };
}

function drawActive() {
  byId("clear-faults").hidden = !network.faults.length;
  replace(byId("active-faults"), network.faults.map(active));
}

function active(fault) {
  const kind = kinds.find((each) => each.kind === fault.kind);
  const title = kind?.title ?? fault.kind;
  const words = [`for ${fault.number ? nameOf(fault.number) : "everybody"}`];
  if (fault.count !== undefined) {
    words.push(fault.count === 1 ? "once more" : `${fault.count} times more`);
  }
  if (fault.seconds !== undefined) {
    words.push(`${Math.ceil(fault.seconds)} s left`);
  }
  words.push(...(kind?.fields ?? []).map(({ name, label }) => `${label.toLowerCase()}: ${String(fault[name]).replaceAll("_", " ")}`));
  const turnOff = doing(async () => {
    await call("DELETE", at("faults", String(fault.id)));
    await refresh();
  });
  return el(
    "li",
    { class: "row active", "data-kind": fault.kind },
    el("span", { class: "what" }, `On: ${title}`, el("small", {}, words.join(" · "))),
    button("Turn off", turnOff, { "data-key": `fault-${fault.id}`, "aria-label": `Turn off: ${title}` }),
  );
}
