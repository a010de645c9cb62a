// What a person's records mean, as chats with their messages. Pure: records in, chats out.

/**
 * Puts a person's records together.
 *
 * @param {Object[]} entries Of `GET /journal`, all of one person, in order.
 * @returns {Map<string, Object>} The chats by their addresses, each with `jid`, `messages`, `seen` (who showed what
 *   the latest, by address) and `last` (the time of the latest message).
 */
export function conversations(entries) {
  // Records that come later make another array.
  if (!known.has(entries)) {
    known.set(entries, together(entries));
  }
  return known.get(entries);
}

const known = new WeakMap();

function together(entries) {
  const chats = new Map();
  const messages = new Map();
  for (const { kind, record } of entries) {
    if ((kind === "message" || kind === "sent") && !ABOUT_OTHERS.has(record.kind) && record.kind !== "protocol") {
      const chat = chatOf(chats, record.chat);
      const message = {
        ...record,
        mine: kind === "sent",
        reactions: new Map(),
        votes: new Map(),
        receipts: [],
        edited: false,
        revoked: false,
      };
      // A message that comes twice, after it could not be read at first, is one.
      const before = messages.get(record.id);
      if (before) {
        Object.assign(before, record);
        continue;
      }
      messages.set(record.id, message);
      chat.messages.push(message);
      chat.last = Math.max(chat.last, record.timestamp);
    }
  }
  for (const { kind, record } of entries) {
    if (kind === "receipt") {
      for (const id of record.ids) {
        messages.get(id)?.receipts.push(record);
      }
    } else if (kind === "seen") {
      chatOf(chats, record.chat).seen.set(record.from, record);
    } else if (ABOUT_OTHERS.has(record.kind)) {
      act(messages, chatOf(chats, record.chat), record, kind === "sent");
    }
  }
  return chats;
}

/** How far a message of one's own has come, in a word, and who says so. */
export function progress(message) {
  const by = (types) => new Set(message.receipts.filter(({ type }) => types.includes(type)).map(({ from }) => from));
  const steps = [
    ["played", by(["played"])],
    ["read", by(["read"])],
    ["delivered", by(["delivered", "inactive"])],
  ];
  const [word, who] = steps.find(([, people]) => people.size) ?? ["sent", new Set()];
  return { word, who: [...who] };
}

/** How many votes an option of a poll has, and whether one of them is a certain person's. */
export function tally(message, option, own) {
  const voters = [...message.votes].filter(([, options]) => options.includes(option)).map(([voter]) => voter);
  return { count: voters.length, mine: voters.includes(own), voters };
}

const ABOUT_OTHERS = new Set(["reaction", "edit", "revoke", "vote"]);

function chatOf(chats, jid) {
  if (!chats.has(jid)) {
    chats.set(jid, { jid, messages: [], seen: new Map(), last: 0 });
  }
  return chats.get(jid);
}

function act(messages, chat, record, mine) {
  const about = record[record.kind];
  const message = messages.get(about.target);
  if (!message) {
    chat.messages.push({ ...record, mine, orphan: true });
  } else if (record.kind === "reaction") {
    message.reactions.set(record.from, about.emoji);
  } else if (record.kind === "edit") {
    Object.assign(message, { text: about.text, edited: true });
  } else if (record.kind === "revoke") {
    message.revoked = true;
  } else if (about.options) {
    message.votes.set(record.from, about.options);
  }
}
