/** What can be done with a message: answer, react, edit, vote, forward, delete. */

import { sessionPath } from "../core/api.js";
import { button } from "../core/dom.js";
import { ask, form } from "../core/dialog.js";
import { jidOf } from "../core/format.js";
import { say } from "../core/notices.js";

/** @typedef {import("../types.js").Message} Message */

const EMOJIS = ["👍", "❤️", "😂", "😮", "🙏"];

/**
 * @param {Message} message
 * @param {import("./message.js").Context} context
 * @returns {HTMLElement[]} buttons
 */
export function actionsOf(message, context) {
  const { app, session, reply } = context;
  const path = (/** @type {string[]} */ ...parts) => sessionPath(session, "messages", message.waMessageId, ...parts);
  const named = { chat: message.chatJid, sender: message.fromMe ? "" : message.senderJid };
  const react = (/** @type {string} */ emoji) => app.api.call("POST", path("reaction"), { body: { ...named, emoji } });

  /** @type {(HTMLElement | false)[]} */
  const all = [
    button("Reply", reply),
    ...EMOJIS.map((emoji) =>
      button(emoji, () => react(emoji), { "aria-label": `React with ${emoji}`, class: "emoji" }),
    ),
    button("Other emoji ...", () =>
      form("React", [{ name: "emoji", label: "Emoji" }], "React", ({ emoji }) => react(emoji.trim())),
    ),
    message.reactions.length > 0 &&
      button("Take my reaction back", () => app.api.call("DELETE", path("reaction"), { body: named })),
    message.type === "poll" && button("Vote ...", () => vote(message, context, path("vote"), named)),
    message.fromMe &&
      message.type === "text" &&
      button("Edit ...", () =>
        form(
          "Edit the message",
          [{ name: "text", label: "New text", kind: "area", value: message.body }],
          "Save",
          ({ text }) => app.api.call("PATCH", path(), { body: { chat: message.chatJid, text } }),
        ),
      ),
    button("Forward ...", () =>
      form(
        "Forward",
        [{ name: "to", label: "To: phone number, or JID", attributes: { inputmode: "tel" } }],
        "Forward",
        async ({ to }) => {
          await app.api.call("POST", path("forward"), { body: { ...named, to: jidOf(to) } });
          say("Forwarded.");
        },
      ),
    ),
    (message.fromMe || message.chatJid.endsWith("@g.us")) &&
      button(
        "Delete for everyone ...",
        () =>
          ask(
            "Delete this message for everyone?",
            message.fromMe
              ? "It disappears from every phone in the chat."
              : "Only a group's admin can delete what others wrote.",
            "Delete",
            () => app.api.call("DELETE", path(), { body: named }),
          ),
        { class: "danger" },
      ),
    button("Copy the id", () => navigator.clipboard?.writeText(message.waMessageId).then(() => say("Copied."))),
  ];
  return all.filter((one) => one !== false);
}

/**
 * @param {Message} message
 * @param {import("./message.js").Context} context
 * @param {string} path
 * @param {{chat: string, sender: string}} named
 */
function vote(message, { app, model }, path, named) {
  const known =
    app.polls.get(message.waMessageId) ?? model.tallies.get(message.waMessageId)?.map(({ option }) => option);
  /** @type {import("../core/form.js").Field} */
  const field = known
    ? {
        name: "options",
        label: "Your choice",
        kind: "checks",
        options: known.map((/** @type {string} */ option) => [option, option]),
        hint: "None takes your vote back.",
      }
    : {
        name: "options",
        label: "Your choice, a line each",
        kind: "lines",
        hint: "The stored copy has a poll's question alone: write the options as the phone shows them. None takes your vote back.",
      };
  form(`Vote: ${message.body}`, [field], "Vote", (values) =>
    app.api.call("POST", path, { body: { ...named, ...values } }),
  );
}
