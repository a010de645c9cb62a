// Where a person writes: a text, or something else, to the chat that is looked at.

import { at, call } from "./api.js";
import { button, el, freshId, replace } from "./dom.js";
import { ask } from "./form-dialog.js";
import { inWords } from "./message.js";
import { accountOf, nameOf } from "./names.js";
import { complain, doing } from "./notices.js";

/**
 * The place to write.
 *
 * @returns {{element: HTMLElement, aim: function({person: string, chat: string}): void, reply: function(Object): void}}
 */
export function composer() {
  const target = { person: "", chat: "" };
  let quoted = null;
  const id = freshId("text");
  const label = el("label", { for: id, class: "hidden" }, "Message");
  const text = el("textarea", { id, rows: 2, placeholder: "Write a message", "data-key": "text" });
  const quote = el("div", { class: "quote" });
  const submit = el("button", { type: "submit", class: "main" }, "Send");

  const send = (what) => call("POST", `${at("contacts", target.person)}/messages`, { to: target.chat, ...what, ...quoting() });
  const quoting = () => (quoted ? { quoted: { id: quoted.id } } : {});
  const show = (state) => doing(() => call("POST", `${at("contacts", target.person)}/show`, { state, to: target.chat }));

  const form = el(
    "form",
    { class: "compose" },
    quote,
    el("div", { class: "line" }, label, text, submit),
    el(
      "div",
      { class: "actions" },
      button("Location", () => location(send), { class: "quiet" }),
      button("Contact", () => contact(send), { class: "quiet" }),
      button("Poll", () => poll(send), { class: "quiet" }),
      button("Show typing", show("composing"), { class: "quiet" }),
      button("Show recording", show("recording"), { class: "quiet" }),
      button("Stop showing", show("paused"), { class: "quiet" }),
    ),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const written = text.value;
    if (!written.trim()) {
      return;
    }
    submit.disabled = true;
    try {
      await send({ text: written, ...mentioned(written) });
      // What was written meanwhile is the next message.
      text.value = text.value === written ? "" : text.value;
      forget();
    } catch (error) {
      complain(error);
    } finally {
      submit.disabled = false;
    }
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });

  function forget() {
    quoted = null;
    replace(quote);
  }

  return {
    element: form,
    aim({ person, chat }) {
      if (person === target.person && chat === target.chat) {
        return;
      }
      Object.assign(target, { person, chat });
      label.replaceChildren(`Message from ${nameOf(person)} to ${nameOf(chat)}`);
      text.placeholder = `Write as ${nameOf(person)} to ${nameOf(chat)}`;
      text.value = "";
      forget();
    },
    reply(message) {
      quoted = message;
      replace(quote, el("blockquote", {}, el("cite", {}, `Reply to ${nameOf(message.from)}`), inWords(message)), button("Do not reply", forget, { class: "quiet" }));
      text.focus();
    },
  };
}

// Whoever is named by number, as in "@628110000001 look".
function mentioned(text) {
  const mentions = [...text.matchAll(/@([0-9]{5,15})\b/g)].map(([, number]) => number).filter(accountOf);
  return mentions.length ? { mentions } : {};
}

function location(send) {
  ask({
    title: "Send a location",
    fields: [
      { name: "name", label: "Name of the place", value: "Monas", optional: true },
      { name: "latitude", label: "Latitude", kind: "number", value: -6.1754, limits: { min: -90, max: 90, step: "any" } },
      { name: "longitude", label: "Longitude", kind: "number", value: 106.8272, limits: { min: -180, max: 180, step: "any" } },
    ],
    action: "Send",
    run: (place) => send({ location: place }),
  });
}

function contact(send) {
  ask({
    title: "Send a contact",
    fields: [
      { name: "name", label: "Name", value: "Grace" },
      { name: "number", label: "Number", kind: "tel", value: "628130000001", limits: { pattern: "\\+?[0-9]{5,15}" } },
    ],
    action: "Send",
    run: ({ name, number }) => {
      const digits = number.replace("+", "");
      const plain = name.replace(/[\r\n]+/g, " ").replace(/([\\,;])/g, "\\$1");
      const vcard = ["BEGIN:VCARD", "VERSION:3.0", `FN:${plain}`, `TEL;type=CELL;waid=${digits}:+${digits}`, "END:VCARD"];
      return send({ contact: { name, vcard: vcard.join("\n") } });
    },
  });
}

function poll(send) {
  ask({
    title: "Send a poll",
    fields: [
      { name: "name", label: "Question", value: "When shall we meet?" },
      { name: "options", label: "Options", kind: "textarea", value: "Monday\nTuesday", hint: "One in each line" },
      { name: "many", label: "More than one may be chosen", kind: "checkbox" },
    ],
    action: "Send",
    run: ({ name, options, many }) => {
      const lines = [...new Set(options.split("\n").map((line) => line.trim()).filter(Boolean))];
      if (lines.length < 2) {
        throw new Error("A poll has at least two different options, one in each line.");
      }
      return send({ poll: { name, options: lines, selectableCount: many ? 0 : 1 } });
    },
  });
}
