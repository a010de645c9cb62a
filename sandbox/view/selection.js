// Whose chat is looked at, and what came in the others meanwhile.

import { entriesOf, lookAt, onRecords } from "./records.js";
import { conversations } from "./conversations.js";
import { network } from "./network.js";
import { complain } from "./notices.js";
import { announce, openTab, shownTab } from "./tabs.js";

/** The person's number and the chat's address; "" where nothing is chosen. */
export const selection = { person: "", chat: "" };

const OFFERED = 8;

const unread = new Map(); // by person and chat
const listeners = [];

/** Has a function called when something else is chosen, or has happened to what is. */
export function onSelection(listener) {
  listeners.push(listener);
}

/** Chooses a person, and one of its chats; without one the latest. */
export async function choose(number, chat = "") {
  if (selection.person !== number) {
    Object.assign(selection, { person: number, chat: "" });
    try {
      await lookAt(number);
    } catch (error) {
      complain(error);
    }
    if (selection.person !== number) {
      return; // somebody else was chosen meanwhile
    }
  }
  selection.chat = chat || chatsOf(number)[0]?.jid || "";
  openTab("chat");
  seen();
  told();
}

/**
 * The chats of a person: those that have messages, the latest first, then some that could begin.
 *
 * @param {string} number
 * @param {number} [offered] How many of those that could begin, at most.
 */
export function chatsOf(number, offered = OFFERED) {
  const begun = [...conversations(entriesOf(number)).values()].filter(({ messages }) => messages.length);
  begun.sort((one, other) => other.last - one.last);
  const groups = network.groups.filter(({ members }) => members.some((member) => member.number === number));
  const people = [...network.phones, ...network.contacts].filter((account) => account.number !== number);
  const known = new Set(begun.map(({ jid }) => jid));
  const possible = [...network.phones, ...groups, ...people.filter(({ kind }) => kind !== "account")];
  const rest = possible.filter(({ jid }) => !known.has(jid)).map(({ jid }) => ({ jid, messages: [], seen: new Map(), last: 0 }));
  const chosen = rest.filter(({ jid }, place) => place < offered || (number === selection.person && jid === selection.chat));
  return [...begun, ...chosen];
}

/** How many messages came to a person that nobody has looked at; of one chat, or of all. */
export function unreadOf(number, chat) {
  const counts = unread.get(number) ?? new Map();
  return chat === undefined ? [...counts.values()].reduce((sum, count) => sum + count, 0) : (counts.get(chat) ?? 0);
}

/** Follows what comes. */
export function start() {
  onRecords((entries, fresh) => {
    for (const { number, kind, record } of fresh ? entries : []) {
      if (kind === "message" && record.kind !== "protocol") {
        const counts = unread.get(number) ?? new Map();
        unread.set(number, counts.set(record.chat, (counts.get(record.chat) ?? 0) + 1));
      }
    }
    seen();
    told();
  });
  document.addEventListener("visibilitychange", () => {
    seen();
    told();
  });
}

function seen() {
  if (!document.hidden && shownTab() === "chat") {
    unread.get(selection.person)?.delete(selection.chat);
  }
}

function told() {
  announce([...unread.keys()].reduce((sum, number) => sum + unreadOf(number), 0));
  listeners.forEach((listener) => listener());
}
