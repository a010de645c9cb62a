/** What a conversation holds, and what each event changes in it. Nothing here knows the page. */

/** @typedef {import("../types.js").Message} Message */
/** @typedef {import("../types.js").Event} Event */

export class ConversationModel {
  /** Oldest first. @type {Message[]} */
  messages = [];
  /** Votes of polls, by message id. @type {Map<string, {option: string, votes: number}[]>} */
  tallies = new Map();
  /** Names of the chat: its JID, and its LID once that is known. @type {Set<string>} */
  names;

  /** @param {string} jid */
  constructor(jid) {
    this.names = new Set([jid]);
  }

  /**
   * Adds messages that the stored copy has, or puts them in the place of what is known of them.
   *
   * @param {Message[]} messages in any order
   */
  add(messages) {
    for (const message of messages) {
      this.names.add(message.chatJid);
      if (message.chatLid) this.names.add(message.chatLid);
      const at = this.messages.findIndex(({ id }) => id === message.id);
      if (at < 0) this.messages.push(message);
      else this.messages[at] = message;
    }
    this.messages.sort((one, other) => one.timestamp - other.timestamp || one.id - other.id);
  }

  /**
   * Takes what happened.
   *
   * @param {Event} event of the same session
   * @returns {Message[]} what has to be drawn anew
   */
  take({ event, payload }) {
    if (!payload || !(this.names.has(payload.chatJid) || this.names.has(payload.chatLid))) return [];
    if (event === "message" || event === "message.decrypted") {
      this.add([payload]);
      return [payload];
    }
    const message = this.messages.find(({ waMessageId }) => waMessageId && waMessageId === payload.waMessageId);
    if (!message || !change(message, event, payload)) {
      if (event === "poll.vote") this.tallies.set(payload.waMessageId, payload.tally);
      return message && event === "poll.vote" ? [message] : [];
    }
    return [message];
  }

  /** @param {string} waMessageId @returns {Message | undefined} */
  find(waMessageId) {
    return this.messages.find((message) => message.waMessageId === waMessageId);
  }
}

/**
 * @param {Message} message
 * @param {string} event
 * @param {any} payload
 * @returns {boolean} whether it is about a message's own fields
 */
function change(message, event, payload) {
  if (event === "message.edited")
    Object.assign(message, { body: payload.body, mentions: payload.mentions, edited: true });
  else if (event === "message.revoked") Object.assign(message, { body: "", deleted: true, reactions: [] });
  else if (event === "message.status")
    Object.assign(message, { ackLevel: Math.max(message.ackLevel, payload.ackLevel), error: payload.error });
  else if (event === "message.reaction") {
    message.reactions = message.reactions.filter(({ senderJid }) => senderJid !== payload.reactorJid);
    if (payload.emoji)
      message.reactions.push({ emoji: payload.emoji, senderJid: payload.reactorJid, timestamp: payload.timestamp });
  } else return false;
  return true;
}
