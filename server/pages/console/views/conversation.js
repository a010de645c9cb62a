/** One chat: its messages as they come, and a place to write. */

import { ApiError, sessionPath } from "../core/api.js";
import { button, fill, h } from "../core/dom.js";
import { ask } from "../core/dialog.js";
import { chatName, day, person } from "../core/format.js";
import { fail, say, words } from "../core/notices.js";
import { hash } from "../core/router.js";
import { Composer } from "./composer.js";
import { ConversationModel } from "./conversation_model.js";
import { bubble } from "./message.js";

/** @typedef {import("../types.js").Message} Message */
/** @typedef {import("../types.js").Chat} Chat */
/** @typedef {import("../types.js").Event} Event */

const PAGE = 50;
/** Pixels from the end within which the newest message is followed. */
const NEAR = 80;
/** Many messages at once are one look at the chat. */
const GATHER = 250;
const TYPING_LASTS = 15_000;
const TYPING = { composing: "typing ...", recording: "recording ..." };

export class Conversation {
  #app;
  #session;
  #jid;
  #model;
  #composer;
  #cursor = "";
  #heading;
  #typing = h("p", { class: "typing", "aria-live": "polite" });
  #older = h("div", { class: "older" });
  #log = h("ol", { class: "log", "aria-label": "Messages", "aria-live": "polite", "aria-relevant": "additions" });
  #scroll = h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": "Conversation" },
    this.#older,
    this.#log,
  );
  #unread = h("div", {});
  #menu = h("div", { class: "buttons" });
  #details = h("details", { class: "menu", hidden: true }, h("summary", {}, "Manage"), this.#menu);
  /** Whether the newest message is in sight, and shall stay there. */
  #follows = true;
  #resized = new ResizeObserver(() => this.#follows && this.#toEnd());
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #typingEnds;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #soon;
  #stop;
  #gone = false;

  /**
   * @param {any} app
   * @param {string} session its id
   * @param {string} jid the chat's
   * @param {Promise<{jids: Set<string>, whole: boolean}>} known the chats that there are
   */
  constructor(app, session, jid, known) {
    this.#app = app;
    this.#session = session;
    this.#jid = jid;
    this.#model = new ConversationModel(jid);
    this.#heading = h("h1", {}, person(jid));
    this.#composer = new Composer(app, session, jid, () => this.#toEnd());
    this.element = h(
      "section",
      { class: "conversation", "aria-label": "Chat" },
      h(
        "div",
        { class: "head" },
        h("a", { class: "back", href: hash("chats", session) }, "All chats"),
        this.#heading,
        h("div", { class: "line" }, this.#unread, this.#details),
      ),
      this.#scroll,
      this.#typing,
      this.#composer.element,
    );
    this.#scroll.addEventListener("scroll", () => {
      this.#follows = this.#scroll.scrollHeight - this.#scroll.scrollTop - this.#scroll.clientHeight < NEAR;
    });
    this.#resized.observe(this.#scroll);
    this.#stop = app.live.follow((/** @type {Event} */ event) => this.#take(event));
    this.#begin(known).catch((error) => fill(this.#older, words(error)));
  }

  leave() {
    this.#gone = true;
    this.#resized.disconnect();
    clearTimeout(this.#typingEnds);
    clearTimeout(this.#soon);
    this.#composer.leave();
    this.#stop();
  }

  /**
   * Reads the chat, where there is one already.
   *
   * @param {Promise<{jids: Set<string>, whole: boolean}>} known
   */
  async #begin(known) {
    const { jids, whole } = await known;
    if (whole && !jids.has(this.#jid)) return this.#bound();
    await Promise.all([this.#load(), this.#describe()]);
  }

  /** What stands above the oldest message. */
  #bound() {
    const text = this.#model.messages.length ? "The stored copy begins here." : "No messages yet: write the first one.";
    fill(this.#older, this.#cursor ? button("Older messages", () => this.#load()) : h("p", { class: "quiet" }, text));
  }

  /** Reads the newest page, or the next older one. */
  async #load() {
    const query = this.#cursor ? { limit: PAGE, cursor: this.#cursor } : { limit: PAGE };
    let page;
    try {
      page = await this.#app.api.get(sessionPath(this.#session, "chats", this.#jid, "messages"), query);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
      page = { data: [], nextCursor: null }; // nobody has written yet
    }
    if (this.#gone) return;
    const first = !this.#cursor;
    const before = this.#scroll.scrollHeight - this.#scroll.scrollTop;
    this.#model.add(page.data);
    this.#cursor = page.nextCursor ?? "";
    this.#draw();
    this.#bound();
    if (first) this.#toEnd();
    else this.#scroll.scrollTop = this.#scroll.scrollHeight - before;
  }

  /** Asks for the chat's name and its counter. */
  async #describe() {
    this.#title(await this.#app.api.get(sessionPath(this.#session, "chats", this.#jid)));
  }

  /**
   * Shows the chat's name and what can be done with it.
   *
   * @param {Chat} chat
   */
  #title(chat) {
    if (this.#gone) return;
    this.#heading.textContent = chatName(chat);
    document.title = `${chatName(chat)} - wagate console`;
    const path = sessionPath(this.#session, "chats", this.#jid);
    const change = (/** @type {Record<string, unknown>} */ body) => async () => {
      this.#title(await this.#app.api.call("PATCH", path, { body }));
    };
    const muted = Boolean(chat.mutedUntil && chat.mutedUntil > Date.now());
    const read = async () => {
      this.#title(await this.#app.api.call("POST", `${path}/read`));
    };
    fill(this.#unread, chat.unreadCount > 0 && button("Mark as read", read));
    fill(
      this.#menu,
      button(chat.pinned ? "Unpin" : "Pin", change({ pinned: !chat.pinned })),
      button(chat.archived ? "Unarchive" : "Archive", change({ archived: !chat.archived })),
      button(
        muted ? "Unmute" : "Mute 8 h",
        change(muted ? { unmute: true } : { mutedUntil: Date.now() + 8 * 3_600_000 }),
      ),
      button("Delete ...", () =>
        ask(
          "Delete this chat from the stored copy?",
          "Its messages go here. On the phone and for the other side nothing changes, and a new message brings the chat back.",
          "Delete",
          async () => {
            await this.#app.api.call("DELETE", path);
            location.hash = hash("chats", this.#session);
            say("The chat is deleted from the stored copy.");
          },
        ),
      ),
    );
    this.#details.hidden = false;
  }

  /** @param {Event} event */
  #take(event) {
    if (event.event === "gap") {
      this.#cursor = "";
      this.#load().catch(fail);
    }
    if (event.session !== this.#session) return;
    if (event.event === "presence") return this.#present(event.payload);
    if (event.event === "chat.updated" && event.payload.chat && this.#model.names.has(event.payload.chatJid))
      this.#title(event.payload.chat);
    const known = this.#model.messages.length;
    const changed = this.#model.take(event);
    if (!changed.length) return;
    const follows = this.#follows; // before what is drawn moves it
    if (this.#model.messages.length > known) {
      if (!known) this.#bound();
      // Its name may be new, and its counter is.
      this.#soon ??= setTimeout(() => {
        this.#soon = undefined;
        this.#describe().catch(fail);
      }, GATHER);
      if (!changed[0].fromMe) this.#present({ personJid: changed[0].senderJid, state: "paused" });
      this.#draw();
    } else
      for (const message of changed)
        this.#log.querySelector(`[data-id="${message.id}"]`)?.replaceWith(this.#line(message));
    if (follows) this.#toEnd();
  }

  /** Draws what is not drawn yet, where it belongs. */
  #draw() {
    /** @type {Element | null} */
    let next = this.#log.firstElementChild;
    let shown = "";
    for (const message of this.#model.messages) {
      const heading = day(message.timestamp);
      if (heading !== shown) {
        if (next?.classList.contains("day") && next.textContent === heading) next = next.nextElementSibling;
        else this.#log.insertBefore(h("li", { class: "day" }, heading), next);
        shown = heading;
      }
      if (next instanceof HTMLElement && next.classList.contains("day")) {
        const stale = next; // older messages came before it
        next = next.nextElementSibling;
        stale.remove();
      }
      if (next instanceof HTMLElement && next.dataset.id === String(message.id)) next = next.nextElementSibling;
      else this.#log.insertBefore(this.#line(message), next);
    }
  }

  /** @param {Message} message */
  #line(message) {
    return bubble(message, {
      app: this.#app,
      session: this.#session,
      model: this.#model,
      reply: () => this.#composer.reply(message),
      find: (id) =>
        /** @type {HTMLElement | null} */ (this.#log.querySelector(`[data-id="${this.#model.find(id)?.id}"]`)),
    });
  }

  /** @param {{personJid: string, chatJid?: string, chatLid?: string, state: string}} told */
  #present({ chatJid, chatLid, personJid, state }) {
    if (chatJid && !this.#model.names.has(chatJid) && !(chatLid && this.#model.names.has(chatLid))) return;
    clearTimeout(this.#typingEnds);
    const what = TYPING[/** @type {keyof typeof TYPING} */ (state)];
    fill(this.#typing, what && `${person(personJid)} is ${what}`);
    if (what) this.#typingEnds = setTimeout(() => fill(this.#typing), TYPING_LASTS);
  }

  #toEnd() {
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
  }
}
