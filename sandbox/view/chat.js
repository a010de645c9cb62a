// The chat of the person that is looked at: whom it is with, what was said, and what can be done about it.

import { at, call } from "./api.js";
import { button, byId, el, replace } from "./dom.js";
import { composer } from "./compose.js";
import { conversations } from "./conversations.js";
import { ask } from "./form-dialog.js";
import { bubble } from "./message.js";
import { accountOf, fullName, groupOf, nameOf } from "./names.js";
import { network, refresh, watch } from "./network.js";
import { doing, tell } from "./notices.js";
import { absence, addPerson, followInvite, renamePerson } from "./people.js";
import { entriesOf } from "./records.js";
import { badge } from "./tabs.js";
import { chatsOf, choose, onSelection, selection, unreadOf } from "./selection.js";
import { call as ring, calls } from "./calls.js";

const TYPING = 25_000; // milliseconds for which a chat state is believed

const writing = composer();
let drawn = { place: "", now: "", seq: 0 };

/** Shows the chat from now on. */
export function start() {
  byId("chat-foot").append(writing.element);
  watch(["phones", "contacts", "groups", "faults", "calls"], draw);
  onSelection(draw);
  setInterval(drawStates, 5000);
}

function draw() {
  const person = accountOf(selection.person);
  const log = byId("chat-log");
  writing.element.hidden = !person || !selection.chat;
  log.hidden = !person;
  if (!person) {
    replace(byId("chat-head"), nobody());
    replace(byId("calls"));
    return;
  }
  replace(byId("chat-head"), head(person), strip(person), selection.chat ? chatHead(person) : null);
  replace(byId("calls"), calls());
  drawMessages(person, log);
  writing.aim(selection);
}

function nobody() {
  const persons = network.contacts.some((contact) => contact.kind === "person");
  return el(
    "div",
    { class: "nobody" },
    el("h2", { id: "chat-title" }, "Chat"),
    el("p", { class: "about" }, persons ? "Choose a person to see its chats and to write as them." : "Add a person to write to a session, and to read what it sends."),
    persons ? null : button("Add a person", addPerson, { class: "main", "data-key": "first-person" }),
  );
}

function head(person) {
  const hidden = absence(person.number);
  const find = async () => {
    await (hidden
      ? call("DELETE", at("faults", String(hidden.id)))
      : call("POST", "faults", { kind: "absent", number: person.number }));
    await refresh();
  };
  const show = (state) =>
    doing(async () => {
      await call("POST", `${at("contacts", person.number)}/show`, { state });
      tell(`${nameOf(person.number)} is ${state === "available" ? "online" : "away"} for those who watch.`);
    });
  return el(
    "div",
    { class: "head person" },
    el("h2", { id: "chat-title" }, `${person.name || person.number}'s chats`, el("small", {}, person.number)),
    el(
      "details",
      { class: "menu", "data-key": `more-${person.number}` },
      el("summary", { "data-key": "about-person" }, "More"),
      el(
        "div",
        { class: "actions" },
        button("Rename", () => renamePerson(person), { class: "quiet", "data-key": "rename" }),
        button(hidden ? "Put on WhatsApp again" : "Take off WhatsApp", doing(find), { class: "quiet", "data-key": "absent" }),
        button("Follow an invite", () => followInvite(person), { class: "quiet", "data-key": "invite" }),
        button("Appear online", show("available"), { class: "quiet", "data-key": "online" }),
        button("Appear away", show("unavailable"), { class: "quiet", "data-key": "away" }),
      ),
    ),
  );
}

function strip(person) {
  const items = chatsOf(person.number).map(({ jid, messages }) => {
    const count = unreadOf(person.number, jid);
    return el(
      "li",
      {},
      el(
        "button",
        {
          type: "button",
          class: "pick",
          onclick: () => choose(person.number, jid),
          "aria-current": jid === selection.chat ? "true" : null,
          "data-key": `chat-${jid}`,
        },
        el("span", { class: "what" }, el("span", { class: "name" }, nameOf(jid)), el("small", {}, kindOf(jid, messages))),
        count ? badge(count) : null,
      ),
    );
  });
  const all = chatsOf(person.number, Infinity);
  if (all.length > items.length) {
    items.push(el("li", {}, button("Others ...", () => writeTo(person, all), { class: "pick", "data-key": "others" })));
  }
  const none = el("p", { class: "empty" }, "There is nobody to write to yet: add a phone.");
  return el("nav", { class: "strip", "aria-label": "Chats" }, items.length ? el("ul", {}, items) : none);
}

function writeTo(person, chats) {
  ask({
    title: `Open a chat of ${nameOf(person.number)}`,
    fields: [{ name: "chat", label: "With", kind: "select", options: chats.map(({ jid }) => [jid, nameOf(jid)]) }],
    action: "Open",
    run: ({ chat }) => choose(person.number, chat),
  });
}

function kindOf(jid, messages) {
  if (groupOf(jid)) {
    return "group";
  }
  const account = accountOf(jid);
  if (!account) {
    return "not on this network";
  }
  return messages.length ? account.number : "nothing said yet";
}

function drawMessages(person, log) {
  const place = `${person.number} ${selection.chat}`;
  const entries = entriesOf(person.number);
  const names = [...network.phones, ...network.contacts, ...network.groups].map(({ jid, name, subject, members }) => [jid, name, subject, members?.length]);
  const now = JSON.stringify([place, entries.length, entries.at(-1)?.seq, names]);
  // What has not changed stays as it is, with whatever is marked or half filled in.
  if (now === drawn.now) {
    return;
  }
  // Whoever has scrolled back reads; whoever is at the end wants to see what comes.
  const newest = entries.at(-1);
  const wrote = newest?.kind === "sent" && newest.seq !== drawn.seq;
  const follows = wrote || place !== drawn.place || log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  drawn = { place, now, seq: newest?.seq };
  if (!selection.chat) {
    replace(log);
    return;
  }
  const chat = conversations(entries).get(selection.chat);
  const messages = chat?.messages ?? [];
  const context = { person, chat: selection.chat, reply: (message) => writing.reply(message) };
  replace(
    log,
    messages.length ? el("ol", { class: "messages" }, messages.map((message) => bubble(message, context))) : el("p", { class: "empty" }, "Nothing was said here yet."),
    el("p", { class: "states", id: "states" }),
  );
  drawStates();
  if (follows) {
    log.scrollTop = log.scrollHeight;
  }
}

function chatHead(person) {
  const jid = selection.chat;
  const chat = conversations(entriesOf(person.number)).get(jid);
  const group = groupOf(jid);
  const account = accountOf(jid);
  const heard = (chat?.messages ?? []).filter((message) => !message.mine && !message.orphan);
  const read = async () => {
    await call("POST", `${at("contacts", person.number)}/read`, { ids: heard.map(({ id }) => id), chat: jid });
    tell(`${nameOf(person.number)} has read ${heard.length === 1 ? "the message" : `${heard.length} messages`}; the senders are told.`);
  };
  const watchPresence = async () => {
    await call("POST", `${at("contacts", person.number)}/watch`, { who: jid });
    tell(`${nameOf(person.number)} sees from now on when ${nameOf(jid)} is online.`);
  };
  const callable = group ? group.members.some(({ number }) => isPhone(number)) : account?.kind === "account";
  return el(
    "div",
    { class: "with" },
    el("h3", {}, `With ${nameOf(jid)}`, group ? el("small", {}, `${group.members.length} members`) : null),
    el(
      "div",
      { class: "actions" },
      heard.length ? button("Mark as read", doing(read), { class: "quiet", "data-key": "read" }) : null,
      group ? null : button("Watch presence", doing(watchPresence), { class: "quiet", "data-key": "watch" }),
      callable ? button("Call", doing(() => ring(person, jid, false)), { class: "quiet", "data-key": "call" }) : null,
      callable ? button("Video call", doing(() => ring(person, jid, true)), { class: "quiet", "data-key": "video" }) : null,
    ),
  );
}

function isPhone(number) {
  return accountOf(number)?.kind === "account";
}

// Who types, records, is online or was: it changes with time alone as well.
function drawStates() {
  const place = document.getElementById("states");
  if (!place) {
    return;
  }
  const chat = conversations(entriesOf(selection.person)).get(selection.chat);
  const words = [...(chat?.seen.values() ?? [])].map(stateWords).filter(Boolean);
  const text = words.join(" · ");
  if (place.textContent !== text) {
    place.replaceChildren(text);
  }
}

function stateWords({ from, state, timestamp }) {
  const fresh = Date.now() - timestamp < TYPING;
  const words = {
    composing: fresh ? "is typing ..." : "",
    recording: fresh ? "is recording ..." : "",
    available: "is online",
    unavailable: "is not online",
  }[state];
  return words ? `${nameOf(from)} ${words}` : "";
}
