/** The kinds of messages that the API sends, and what each one needs (REST API, Messages). */

import { jidOf } from "../core/format.js";

/** @typedef {import("../core/form.js").Field} Field */

/** @type {Field} */
const QUEUE = { name: "queue", label: "Put it into the outbox and do not wait", kind: "check", more: true };

/**
 * Files are not among them: the API answers 501 to images, videos, sounds, documents and stickers.
 *
 * @type {Record<string, {text: string, fields: Field[], body: (values: any) => Record<string, unknown>}>}
 */
export const KINDS = {
  text: {
    text: "Text",
    fields: [
      {
        name: "text",
        label: "Message",
        kind: "area",
        attributes: { rows: 2, placeholder: "Write a message. Enter sends it, Shift+Enter begins a line." },
      },
      {
        name: "mentions",
        label: "Mention",
        hint: "Numbers or JIDs, with commas. Write @number in the message too.",
        more: true,
      },
      QUEUE,
    ],
    body: ({ text, mentions }) => ({
      text,
      ...(mentions.trim() && {
        mentions: mentions.split(",").map((/** @type {string} */ one) => jidOf(one.trim().replace(/^@/, ""))),
      }),
    }),
  },
  poll: {
    text: "Poll",
    fields: [
      { name: "name", label: "Question" },
      { name: "options", label: "Options, a line each", kind: "lines", hint: "2 to 12." },
      { name: "selectableCount", label: "How many may be chosen", kind: "number", value: 1, hint: "0 for any number." },
      QUEUE,
    ],
    body: (values) => values,
  },
  location: {
    text: "Place",
    fields: [
      { name: "latitude", label: "Latitude", kind: "number", hint: "Degrees, -90 to 90." },
      { name: "longitude", label: "Longitude", kind: "number", hint: "Degrees, -180 to 180." },
      { name: "name", label: "Name of the place" },
      QUEUE,
    ],
    body: ({ name, ...rest }) => ({ ...rest, ...(name.trim() && { name }) }),
  },
  contact: {
    text: "Contact card",
    fields: [
      { name: "name", label: "Name" },
      { name: "phone", label: "Phone number", attributes: { inputmode: "tel" } },
      QUEUE,
    ],
    body: ({ name, phone }) => ({ contact: { name, phone } }),
  },
  vcard: {
    text: "Vcard",
    fields: [
      { name: "contact", label: "Vcard", kind: "area", hint: "The whole text, from BEGIN:VCARD to END:VCARD." },
      QUEUE,
    ],
    body: (values) => ({ type: "contact", ...values }),
  },
};
