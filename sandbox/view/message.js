// One message as the person sees it, and what the person can do about it.

import { at, call } from "./api.js";
import { button, el, freshId } from "./dom.js";
import { progress, tally } from "./conversations.js";
import { ask, shell } from "./form-dialog.js";
import { groupOf, nameOf } from "./names.js";
import { network } from "./network.js";
import { doing, tell } from "./notices.js";

const EMOJI = ["👍", "❤️", "😂", "😮", "😢", "🙏"];

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

/**
 * A message's element.
 *
 * @param {Object} message Of `conversations`.
 * @param {{person: Object, chat: string, reply: function(Object): void}} context Who looks at which chat.
 */
export function bubble(message, context) {
  if (message.orphan) {
    return el("li", { class: "aside" }, orphanWords(message));
  }
  return el(
    "li",
    { class: message.mine ? "message mine" : "message", "data-id": message.id },
    el(
      "div",
      { class: "bubble" },
      message.mine || !groupOf(context.chat) ? null : el("p", { class: "author" }, nameOf(message.from)),
      message.forwarded ? el("p", { class: "mark" }, "forwarded") : null,
      message.quoted ? el("blockquote", {}, el("cite", {}, nameOf(message.quoted.participant)), message.quoted.text || "(no words)") : null,
      message.revoked ? el("p", { class: "gone" }, "This message was deleted.") : content(message, context),
      reactions(message),
      foot(message),
    ),
    message.revoked ? null : actions(message, context),
  );
}

/** A message in a few words, for lists and quotes. */
export function inWords(record) {
  const about = record[record.kind];
  switch (record.kind) {
    case "text":
      return record.text;
    case "poll":
      return `poll: ${about.name}`;
    case "location":
      return `location: ${about.name || `${about.latitude}, ${about.longitude}`}`;
    case "contact":
      return `contact: ${about.name}`;
    case "reaction":
      return about.emoji ? `reaction ${about.emoji}` : "reaction taken back";
    case "edit":
      return `edited to: ${about.text}`;
    case "revoke":
      return "message deleted";
    case "vote":
      return about.options ? `vote for ${about.options.map((option) => option ?? "an unknown option").join(", ") || "nothing"}` : "vote that cannot be read";
    default:
      return `(${record.kind})`;
  }
}

/** What a receipt says, in plain words. */
export function receiptInWords(type, from) {
  const words = { delivered: "delivered to", inactive: "delivered to", read: "read by", played: "played by", retry: "asked for again by" };
  return words[type] ? `${words[type]} ${nameOf(from)}` : `${type} by ${nameOf(from)}`;
}

function orphanWords(record) {
  return `${nameOf(record.from)}: ${inWords(record)} (about a message that is not shown here)`;
}

function content(message, context) {
  const about = message[message.kind];
  switch (message.kind) {
    case "text":
      return el("p", { class: "text" }, message.text);
    case "poll":
      return poll(message, context);
    case "location":
      return el("p", { class: "text" }, el("strong", {}, about.name || "A place"), el("small", {}, `${about.latitude}, ${about.longitude}`));
    case "contact":
      return el("p", { class: "text" }, el("strong", {}, about.name), el("small", {}, phoneOf(about.vcard)));
    default:
      return el("p", { class: "gone" }, `A message of the kind ${message.kind}. What is in it is not shown here.`);
  }
}

function phoneOf(vcard) {
  return /^TEL[^:]*:(.*)$/im.exec(vcard)?.[1].trim() ?? "contact";
}

function poll(message, context) {
  const own = context.person.jid;
  const many = message.poll.selectableCount !== 1;
  const group = freshId("poll");
  const boxes = message.poll.options.map((option) => {
    const { count, mine, voters } = tally(message, option, own);
    const box = el("input", { type: many ? "checkbox" : "radio", name: group, value: option, checked: mine });
    const who = voters.map(nameOf).join(", ");
    return { box, row: el("label", { class: "choice" }, box, option, el("small", {}, count ? `${count} · ${who}` : "0")) };
  });
  const vote = doing(async () => {
    const options = boxes.filter(({ box }) => box.checked).map(({ box }) => box.value);
    await send(context, { vote: { target: message.id, options } });
  });
  return el(
    "fieldset",
    { class: "poll" },
    el("legend", {}, message.poll.name),
    boxes.map(({ row }) => row),
    button("Vote", vote, { class: "quiet", "data-key": `vote-${message.id}` }),
  );
}

function reactions(message) {
  const shown = [...message.reactions].filter(([, emoji]) => emoji);
  return shown.length
    ? el("ul", { class: "reactions", "aria-label": "Reactions" }, shown.map(([from, emoji]) => el("li", {}, emoji, el("small", {}, nameOf(from)))))
    : null;
}

function foot(message) {
  const words = [clock.format(message.timestamp)];
  if (message.edited && !message.revoked) {
    words.push("edited");
  }
  return el("p", { class: "foot" }, words.join(" · "), message.mine ? [" · ", progressOf(message)] : null);
}

function progressOf(message) {
  const { word, who } = progress(message);
  if (!message.receipts.length) {
    return word;
  }
  const text = who.length > 1 ? `${word} (${who.length})` : word;
  return button(text, () => receipts(message), { class: "link", "data-key": `receipts-${message.id}`, title: "Show the receipts" });
}

function actions(message, context) {
  const key = (what) => ({ class: "quiet", "data-key": `${what}-${message.id}` });
  const revoke = doing(() => send(context, { revoke: { target: message.id } }));
  return el(
    "div",
    { class: "actions" },
    button("Reply", () => context.reply(message), key("reply")),
    button("React", () => react(message, context), key("react")),
    button("Forward", () => forward(message, context), key("forward")),
    message.mine && message.kind === "text" ? button("Edit", () => edit(message, context), key("edit")) : null,
    message.mine ? button("Delete", revoke, key("delete")) : null,
  );
}

function send(context, what, to = context.chat) {
  return call("POST", `${at("contacts", context.person.number)}/messages`, { to, ...what });
}

function react(message, context) {
  const before = message.reactions.get(context.person.jid) ?? "";
  ask({
    title: "React",
    about: inWords(message),
    fields: [
      {
        name: "emoji",
        label: "With",
        kind: "select",
        options: [...EMOJI.map((emoji) => [emoji, emoji]), ["", "Nothing (take it back)"]],
        value: before || EMOJI[0],
        optional: true,
      },
    ],
    action: "React",
    run: ({ emoji }) => send(context, { reaction: { target: message.id, emoji } }),
  });
}

function edit(message, context) {
  ask({
    title: "Edit the message",
    fields: [{ name: "text", label: "Text", kind: "textarea", value: message.text }],
    action: "Edit",
    run: ({ text }) => send(context, { edit: { target: message.id, text } }),
  });
}

function forward(message, context) {
  const others = [...network.phones, ...network.contacts].filter(({ number }) => number !== context.person.number);
  const groups = network.groups.filter(({ members }) => members.some(({ number }) => number === context.person.number));
  ask({
    title: "Forward the message",
    about: inWords(message),
    fields: [{ name: "to", label: "To", kind: "select", options: [...others, ...groups].map(({ jid }) => [jid, nameOf(jid)]) }],
    action: "Forward",
    run: async ({ to }) => {
      const same = { text: message.text, poll: message.poll, location: message.location, contact: message.contact };
      if (same[message.kind] === undefined) {
        throw new Error(`A message of the kind ${message.kind} cannot be forwarded here.`);
      }
      await send(context, { [message.kind]: same[message.kind], forwarded: true }, to);
      tell(`It was forwarded to ${nameOf(to)}.`);
    },
  });
}

function receipts(message) {
  const rows = message.receipts.map(({ type, from, timestamp }) =>
    el("li", { class: "row" }, el("span", { class: "what" }, receiptInWords(type, from), el("small", {}, `${clock.format(timestamp)} · ${type}`))),
  );
  const dialog = shell(
    "Receipts",
    el("p", { class: "about" }, inWords(message)),
    el("ul", { class: "rows" }, rows),
    el("div", { class: "actions" }, button("Close", () => dialog.close())),
  );
  dialog.showModal();
}
