/** One message: what it says, how far it has come, and what can be done with it. Everything is text. */

import { button, fill, h } from "../core/dom.js";
import { person, time, whole } from "../core/format.js";
import { actionsOf } from "./message_actions.js";

/** @typedef {import("../types.js").Message} Message */

/**
 * @typedef {object} Context
 * @property {any} app
 * @property {string} session
 * @property {import("./conversation_model.js").ConversationModel} model
 * @property {() => void} reply
 * @property {(waMessageId: string) => HTMLElement | null} find
 */

/** @type {Record<string, string>} */
const KINDS = {
  poll: "Poll",
  location: "Place",
  contact: "Contact card",
  image: "Picture",
  video: "Video",
  audio: "Sound",
  document: "File",
  sticker: "Sticker",
  unknown: "A kind of message that the gateway does not show",
  undecryptable: "A message that could not be decrypted. It shows here when its sender's phone sends it again.",
};
const LEVELS = ["", "sent", "delivered", "read", "played"];

/**
 * @param {Message} message
 * @param {Context} context
 */
export function bubble(message, context) {
  const actions = h("div", { class: "actions", hidden: true });
  const more = button(
    "Actions",
    () => {
      actions.hidden = !actions.hidden;
      more.setAttribute("aria-expanded", String(!actions.hidden));
      if (!actions.hidden) {
        fill(actions, actionsOf(message, context));
        actions.scrollIntoView({ block: "nearest" });
      }
    },
    { class: "quiet small", "aria-expanded": "false" },
  );
  const group = message.chatJid.endsWith("@g.us");
  return h(
    "li",
    { class: `message ${message.fromMe ? "mine" : "theirs"}`, "data-id": message.id },
    h("span", { class: "unseen" }, message.fromMe ? "You: " : `${person(message.senderJid)}: `),
    group && !message.fromMe && h("p", { class: "sender", "aria-hidden": "true" }, person(message.senderJid)),
    message.quotedId && quote(message.quotedId, context),
    content(message, context),
    message.reactions.length > 0 && reactions(message),
    h(
      "div",
      { class: "meta" },
      message.edited && h("span", {}, "edited"),
      h(
        "time",
        { datetime: new Date(message.timestamp).toISOString(), title: whole(message.timestamp) },
        time(message.timestamp),
      ),
      message.fromMe && level(message),
      !message.deleted && message.waMessageId && more,
    ),
    actions,
  );
}

/** @param {Message} message @param {Context} context */
function content(message, { app, model }) {
  if (message.deleted) return h("p", { class: "body gone" }, "This message was deleted.");
  const kind = KINDS[message.type];
  const tally =
    model.tallies.get(message.waMessageId) ??
    app.polls.get(message.waMessageId)?.map((/** @type {string} */ option) => ({ option, votes: 0 }));
  return [
    kind && h("p", { class: "kind" }, kind),
    message.body && h("p", { class: "body", dir: "auto" }, message.body),
    message.type === "poll" &&
      tally &&
      h(
        "ul",
        { class: "tally" },
        tally.map((/** @type {any} */ { option, votes }) =>
          h("li", {}, h("span", {}, option), h("span", { class: "votes" }, votes === 1 ? "1 vote" : `${votes} votes`)),
        ),
      ),
    message.mentions.length > 0 &&
      h("p", { class: "quiet small" }, `Mentions ${message.mentions.map(person).join(", ")}`),
    message.error && h("p", { class: "wrong" }, `Not sent: ${message.error}`),
  ];
}

/** @param {string} id @param {Context} context */
function quote(id, { model, find }) {
  const quoted = model.find(id);
  const text = quoted ? quoted.body || KINDS[quoted.type] || "a deleted message" : "a message that is not loaded";
  return h(
    "button",
    {
      type: "button",
      class: "quote",
      onclick: () => {
        const there = find(id);
        there?.scrollIntoView({ block: "center" });
        there?.classList.add("found");
        setTimeout(() => there?.classList.remove("found"), 1500);
      },
    },
    h("span", { class: "unseen" }, "Answers: "),
    text.length > 120 ? `${text.slice(0, 120)} ...` : text,
  );
}

/** @param {Message} message */
function reactions({ reactions: given }) {
  /** @type {Map<string, string[]>} */
  const by = new Map();
  for (const { emoji, senderJid } of given) by.set(emoji, [...(by.get(emoji) ?? []), person(senderJid)]);
  return h(
    "ul",
    { class: "reactions", "aria-label": "Reactions" },
    [...by].map(([emoji, people]) =>
      h("li", { title: people.join(", ") }, emoji, people.length > 1 && ` ${people.length}`),
    ),
  );
}

/** @param {Message} message */
function level(message) {
  if (message.error) return h("span", { class: "level bad" }, "failed");
  const word = LEVELS[message.ackLevel] ?? "";
  return h("span", { class: `level ${word}` }, word || "waiting");
}
