// The phones: the numbers of the sandbox's user, and the devices that these have linked.

import { at, call } from "./api.js";
import { button, byId, el, replace } from "./dom.js";
import { ask } from "./form-dialog.js";
import { freeNumber, fullName } from "./names.js";
import { network, refresh, watch } from "./network.js";
import { doing, tell } from "./notices.js";
import { openPhoneChats } from "./phone-chats.js";
import { openCamera } from "./scan.js";

const FIRST_NUMBER = "628110000001";
const NUMBER = { pattern: "\\+?[0-9]{5,15}", inputmode: "numeric" };

/** Shows the phones from now on. */
export function start() {
  byId("add-phone").addEventListener("click", addPhone);
  watch(["phones"], draw);
}

/** Asks for the number of a new phone. */
export function addPhone() {
  ask({
    title: "Add a phone",
    about: "An account on this WhatsApp that is yours. Any number will do: nobody is called.",
    fields: [
      { name: "number", label: "Number", kind: "tel", value: freeNumber(FIRST_NUMBER), hint: "5 to 15 digits", limits: NUMBER },
      { name: "name", label: "Name", optional: true, hint: "What others see. It can be changed later." },
    ],
    action: "Add",
    run: async ({ number, name }) => {
      const phone = await call("PUT", at("phones", number), name ? { name } : {});
      tell(`${fullName(phone)} is on the network.`);
      await refresh();
    },
  });
}

function draw() {
  const empty = el("li", { class: "empty" }, "No phone yet.");
  replace(byId("phone-list"), network.phones.length ? network.phones.map(card) : empty);
}

function card(phone) {
  const key = (what) => ({ "data-key": `${what}-${phone.number}`, class: "quiet" });
  return el(
    "li",
    { class: "card", "data-number": phone.number },
    el("h3", {}, phone.name || phone.number),
    el("p", { class: "facts" }, phone.number, el("small", {}, `LID ${phone.lid}`)),
    phone.devices.length
      ? el("ul", { class: "devices", "aria-label": "Linked devices" }, phone.devices.map((device) => linked(phone, device)))
      : el("p", { class: "empty" }, "No device is linked yet: scan the code of a session."),
    el(
      "div",
      { class: "actions" },
      button("Scan a code", () => openCamera(phone), { ...key("scan"), class: "main" }),
      button("Type a pairing code", () => typeCode(phone), key("type")),
      button("Rename", () => rename(phone), key("rename")),
      button("Its chats", () => openPhoneChats(phone), key("chats")),
      button("Invent a past", () => inventPast(phone), key("past")),
    ),
  );
}

function linked(phone, device) {
  const unlink = async () => {
    await call("DELETE", at("phones", phone.number, "devices", String(device.device)));
    tell(`Device ${device.device} of ${fullName(phone)} is unlinked.`);
    await refresh();
  };
  const waiting = device.waiting ? ` · ${device.waiting} waiting` : "";
  return el(
    "li",
    {},
    el("span", { class: device.online ? "dot on" : "dot", "aria-hidden": "true" }),
    el("span", { class: "what" }, `Device ${device.device}`, el("small", {}, `${device.online ? "online" : "offline"}${waiting}`)),
    button("Unlink", doing(unlink), { class: "quiet", "data-key": `unlink-${phone.number}-${device.device}`, "aria-label": `Unlink device ${device.device}` }),
  );
}

function typeCode(phone) {
  ask({
    title: `Type a pairing code on ${fullName(phone)}`,
    about: "Ask for a pairing code for this number in the console, or by POST /sessions/{session}/pairing-code.",
    fields: [{ name: "code", label: "Pairing code", hint: "Eight letters and digits, such as ABCD-1234" }],
    action: "Link",
    run: async ({ code }) => {
      const device = await call("POST", `${at("phones", phone.number)}/code`, { code });
      tell(`${fullName(phone)} has linked device ${device.device}.`);
      await refresh();
    },
  });
}

function rename(phone) {
  ask({
    title: `Rename ${fullName(phone)}`,
    about: "People see the new name with the next message; linked devices learn it.",
    fields: [{ name: "name", label: "Name", value: phone.name }],
    action: "Rename",
    run: async ({ name }) => {
      await call("PATCH", at("phones", phone.number), { name });
      await refresh();
    },
  });
}

function inventPast(phone) {
  const people = network.contacts.map((contact) => [contact.number, fullName(contact)]);
  ask({
    title: `Invent a past for ${fullName(phone)}`,
    about: "Chats and messages from before, which the phone gives to the devices that it links.",
    fields: [
      { name: "messages", label: "Messages", kind: "number", value: 200, limits: { min: 0, max: 1_000_000 } },
      { name: "chats", label: "Chats", kind: "number", value: 10, limits: { min: 1, max: 10_000 } },
      { name: "with", label: "People who are in it (nobody chosen: all)", kind: "choices", options: people },
      {
        name: "when",
        label: "When",
        kind: "select",
        options: [
          ["PUT", "For devices that are linked from now on"],
          ["POST", "Give it to the linked devices now"],
        ],
        value: phone.devices.length ? "POST" : "PUT",
      },
    ],
    action: "Invent",
    run: async ({ when, with: chosen, ...size }) => {
      const body = chosen.length ? { ...size, with: chosen } : size;
      const { chunks } = await call(when, `${at("phones", phone.number)}/history`, body);
      const past = `A past of ${size.messages} messages in ${chunks} parts`;
      tell(when === "PUT" ? `${past} is ready for the next device.` : `${past} is on its way.`);
    },
  });
}
