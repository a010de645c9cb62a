/** A session's chats, kept in order as messages come. */

import { sessionPath } from "../core/api.js";
import { button, fill, h } from "../core/dom.js";
import { chatName, time } from "../core/format.js";
import { words } from "../core/notices.js";
import { hash } from "../core/router.js";

/** @typedef {import("../types.js").Chat} Chat */
/** @typedef {import("../types.js").Event} Event */

const PAGE = 100;
/** Many messages at once are one look at the list. */
const GATHER = 250;
const CHANGES = new Set([
  "message",
  "message.decrypted",
  "chat.updated",
  "group.updated",
  "history.synced",
  "message.revoked",
  "message.edited",
  "gap",
]);

export class ChatList {
  #app;
  #session;
  #open;
  #list = h("ul", { class: "chat-list" }, h("li", { class: "empty" }, "Loading ..."));
  #more = h("div", {});
  #pages = 1;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #soon;
  #stop;
  #gone = false;
  /** @type {(found: {jids: Set<string>, whole: boolean}) => void} */
  #found = () => {};
  /** The chats that there are, once they were read; `whole` where these are all of them. */
  known = new Promise(
    (/** @type {(found: {jids: Set<string>, whole: boolean}) => void} */ found) => (this.#found = found),
  );

  /**
   * @param {any} app
   * @param {string} session its id
   * @param {string} open the JID of the chat that is open, or ""
   */
  constructor(app, session, open) {
    this.#app = app;
    this.#session = session;
    this.#open = open;
    this.element = h("nav", { "aria-label": "List of chats" }, this.#list, this.#more);
    this.#stop = app.live.follow((/** @type {Event} */ event) => {
      if (event.event === "gap" || (event.session === session && CHANGES.has(event.event))) this.#later();
    });
    this.#refresh();
  }

  leave() {
    this.#gone = true;
    clearTimeout(this.#soon);
    this.#stop();
  }

  #later() {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.#refresh();
    }, GATHER);
  }

  async #refresh() {
    /** @type {Chat[]} */
    const chats = [];
    let cursor = "";
    try {
      for (let page = 0; page < this.#pages && (page === 0 || cursor); page++) {
        const answer = await this.#app.api.get(
          sessionPath(this.#session, "chats"),
          cursor ? { limit: PAGE, cursor } : { limit: PAGE },
        );
        chats.push(...answer.data);
        cursor = answer.nextCursor ?? "";
      }
    } catch (error) {
      this.#found({ jids: new Set(), whole: false });
      if (!this.#gone) fill(this.#list, h("li", { class: "empty" }, words(error)));
      return;
    }
    if (this.#gone) return;
    this.#found({ jids: new Set(chats.map(({ jid }) => jid)), whole: !cursor });
    const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset?.jid;
    fill(
      this.#list,
      chats.length ? chats.map((chat) => this.#line(chat)) : h("li", { class: "empty" }, "No chats yet."),
    );
    if (focused)
      /** @type {HTMLElement | null} */ (this.#list.querySelector(`[data-jid="${CSS.escape(focused)}"]`))?.focus();
    fill(
      this.#more,
      cursor &&
        button("More chats", () => {
          this.#pages += 1;
          return this.#refresh();
        }),
    );
  }

  /** @param {Chat} chat */
  #line(chat) {
    const marks = [
      chat.pinned && "pinned",
      chat.archived && "archived",
      chat.mutedUntil && chat.mutedUntil > Date.now() && "muted",
    ].filter(Boolean);
    return h(
      "li",
      {},
      h(
        "a",
        {
          href: hash("chats", this.#session, chat.jid),
          "data-jid": chat.jid,
          "aria-current": chat.jid === this.#open && "true",
        },
        h("span", { class: "name" }, chatName(chat)),
        h("span", { class: "when" }, chat.lastMessageAt ? time(chat.lastMessageAt) : ""),
        h("span", { class: "marks" }, [chat.type === "group" && "group", ...marks].filter(Boolean).join(", ")),
        chat.unreadCount > 0 &&
          h("span", { class: "unread" }, chat.unreadCount, h("span", { class: "unseen" }, " unread")),
      ),
    );
  }
}
