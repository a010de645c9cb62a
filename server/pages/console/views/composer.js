/** Writing: a form for each kind of message that can be sent. */

import { ApiError, freshKey, sessionPath } from "../core/api.js";
import { button, fill, h } from "../core/dom.js";
import { Form } from "../core/form.js";
import { say } from "../core/notices.js";
import { KINDS } from "./composer_kinds.js";

/** @typedef {import("../types.js").Message} Message */

/** While somebody types, the other side is told at most so often. */
const TELL_TYPING = 8000;

export class Composer {
  #app;
  #session;
  #jid;
  #sent;
  #kind = "text";
  #answers = h("div", { class: "answers" });
  #place = h("div", {});
  /** @type {Form | null} */
  #form = null;
  /** @type {Message | null} */
  #quoted = null;
  /** The send under way: repeated as it is, it keeps its key and so is not sent twice. */
  #attempt = { key: "", text: "" };
  #told = 0;
  #kinds;

  /**
   * @param {any} app
   * @param {string} session its id
   * @param {string} jid the chat's
   * @param {() => void} sent called when something was sent
   */
  constructor(app, session, jid, sent) {
    this.#app = app;
    this.#session = session;
    this.#jid = jid;
    this.#sent = sent;
    const kinds = h(
      "select",
      {
        "aria-label": "Kind of message",
        onchange: () => {
          this.#kind = kinds.value;
          this.#show();
          kinds.focus();
        },
      },
      Object.entries(KINDS).map(([value, { text }]) => h("option", { value }, text)),
    );
    this.#kinds = h("div", { class: "kinds" }, kinds);
    this.element = h("section", { class: "composer", "aria-label": "Write" }, this.#answers, this.#place);
    this.#show();
  }

  leave() {
    this.#told = Infinity;
  }

  /** Answers a message with the next text. @param {Message} message */
  reply(message) {
    this.#quoted = message;
    if (this.#kind !== "text") {
      this.#kind = "text";
      /** @type {any} */ (this.#kinds.firstElementChild).value = "text";
      this.#show();
    }
    fill(
      this.#answers,
      h("p", {}, "Answers: ", h("span", {}, message.body.slice(0, 100) || message.type)),
      button("Do not answer", () => this.#forget(), { class: "quiet small" }),
    );
    this.#form?.input("text").focus();
  }

  #forget() {
    this.#quoted = null;
    fill(this.#answers);
    this.#form?.input("text")?.focus();
  }

  #show() {
    const { fields, text } = KINDS[this.#kind];
    if (this.#kind !== "text") this.#forget();
    this.#form = new Form(
      fields,
      this.#kind === "text" ? "Send" : `Send the ${text.toLowerCase()}`,
      (values) => this.#send(values),
      { class: `kind-${this.#kind}`, buttons: [this.#kinds] },
    );
    fill(this.#place, this.#form.element);
    const input = this.#form.input("text");
    input?.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#form?.element.requestSubmit();
    });
    input?.addEventListener("input", () => this.#tell("composing"));
  }

  /** @param {Record<string, any>} values */
  async #send(values) {
    const { queue, ...rest } = values;
    const before = this.#form?.input("text")?.value;
    /** @type {Record<string, any>} */
    const body = {
      to: this.#jid,
      type: this.#kind,
      ...KINDS[this.#kind].body(rest),
      ...(this.#quoted && { replyTo: this.#quoted.waMessageId }),
    };
    const text = JSON.stringify([body, queue]);
    if (text !== this.#attempt.text) this.#attempt = { key: freshKey(), text };
    let result;
    try {
      result = await this.#app.api.call("POST", sessionPath(this.#session, "messages"), {
        body,
        key: this.#attempt.key,
        query: queue ? { async: "true" } : undefined,
      });
    } catch (error) {
      throw this.#explained(error);
    }
    this.#attempt.text = "";
    if (this.#kind === "poll" && result.waMessageId) this.#app.polls.set(result.waMessageId, body.options);
    if (result.status === "queued") say("It waits in the outbox, and is sent in its turn.");
    const after = this.#form?.input("text")?.value;
    this.#forget();
    this.#show();
    const input = this.#form?.input("text");
    // What was written meanwhile stays.
    if (input && after !== before) input.value = after.startsWith(before) ? after.slice(before.length) : after;
    input?.focus();
    this.#tell("paused");
    this.#sent();
  }

  /** @param {unknown} error */
  #explained(error) {
    if (!(error instanceof ApiError)) return error;
    const { outcome } = error.details;
    // Without an answer, or while it is under way, the same once more is safe. What was refused needs a new key, and so
    // does what nobody knows about: whether to send that again is for people to say.
    if (error.status !== 0 && error.status !== 503 && outcome !== "under_way") this.#attempt.text = "";
    if (outcome !== "indeterminate") return error;
    return new ApiError(
      error.status,
      { code: error.code, message: `${error.message}. Look at the chat before you send it again` },
      error.retryAfter,
    );
  }

  /** Shows the other side that somebody types; nobody is told where that fails. @param {"composing" | "paused"} state */
  #tell(state) {
    const now = Date.now();
    if (state === "composing" && now - this.#told < TELL_TYPING) return;
    if (state === "paused" && !this.#told) return;
    this.#told = state === "composing" ? now : 0;
    this.#app.api
      .call("PUT", sessionPath(this.#session, "chats", this.#jid, "presence"), { body: { state } })
      .catch(() => {});
  }
}
