/** Linking a phone: by a QR code that renews itself, or by a code that is typed on the phone. */

import { sessionPath } from "../core/api.js";
import { button, fill, h } from "../core/dom.js";
import { Form } from "../core/form.js";
import { fail } from "../core/notices.js";
import { offer, withdraw } from "../core/pairing_channel.js";
import { picture } from "../qr/drawing.js";

const RUNS = new Set(["starting", "scan_qr_code"]);

export class Pairing {
  #api;
  #session;
  #picture = h("div", { class: "qr", role: "img", "aria-label": "QR code to scan with the phone" });
  #left = h("p", { class: "quiet" });
  #typed = h("div", { "aria-live": "polite" });
  /** @type {number} until when the shown code is good */
  #expires = 0;
  #shown = "";
  #status = "";
  #label = "";
  #gone = false;
  #timer;

  /**
   * @param {any} app
   * @param {string} session its id
   */
  constructor(app, session) {
    this.#api = app.api;
    this.#session = session;
    this.#timer = setInterval(() => this.#tick(), 500);
    const byCode = new Form(
      [
        {
          name: "phone",
          label: "The phone's number",
          hint: "With its country code, digits only, such as 628123456789.",
          attributes: { inputmode: "tel" },
        },
      ],
      "Get a code",
      async ({ phone }) =>
        this.#type(
          await this.#api.call("POST", sessionPath(session, "pairing-code"), {
            body: { phone: phone.replace(/[^0-9]/g, "") },
          }),
        ),
    );
    this.element = h(
      "section",
      { class: "panel pairing", "aria-label": "Link a phone" },
      h("h2", {}, "Link a phone"),
      h(
        "div",
        { class: "columns" },
        h(
          "div",
          {},
          h(
            "ol",
            {},
            h("li", {}, "Open WhatsApp on the phone."),
            h("li", {}, "Settings, then Linked devices, then Link a device."),
            h("li", {}, "Point the phone at this code."),
          ),
          this.#picture,
          this.#left,
        ),
        h(
          "div",
          {},
          h("h3", {}, "Or type a code"),
          h("p", { class: "quiet" }, "On the phone: Link a device, then “Link with phone number instead”."),
          byCode.element,
          this.#typed,
        ),
      ),
    );
    this.#offer();
  }

  /**
   * The session stands elsewhere, or is looked at again.
   *
   * @param {import("../types.js").Session} session
   */
  stands({ status, label }) {
    const before = this.#status;
    this.#label = label;
    this.#status = status;
    // A code comes as an event; where it came before this page was there, or events may not be read, asking tells.
    if (status === "scan_qr_code" && this.#expires < Date.now()) this.#ask().catch(fail);
    if (status === "starting" && before !== status)
      fill(this.#left, before === "scan_qr_code" ? "The phone is being linked ..." : "Waiting for a code ...");
    if (!RUNS.has(status) && RUNS.has(before))
      this.#offer(this.#shown ? "The codes ran out, or the session was stopped." : "");
  }

  /**
   * A code, as the API or an event tells it.
   *
   * @param {{code: string, expiresAt: number}} told
   */
  code({ code, expiresAt }) {
    if (this.#gone || code === this.#shown) return;
    this.#shown = code;
    offer(this.#session, this.#label, { code, expiresAt });
    this.#expires = expiresAt;
    this.#picture.dataset.code = code;
    fill(this.#picture, picture(code));
    this.#tick();
  }

  leave() {
    this.#gone = true;
    withdraw(this.#session);
    clearInterval(this.#timer);
  }

  /** @param {string} [why] */
  #offer(why) {
    delete this.#picture.dataset.code;
    withdraw(this.#session);
    this.#shown = "";
    fill(
      this.#picture,
      button("Show a code", () => this.#begin(), { class: "main" }),
    );
    fill(this.#left, why);
  }

  async #begin() {
    this.stands(await this.#api.call("POST", `${sessionPath(this.#session)}:start`));
  }

  async #ask() {
    this.code(await this.#api.get(sessionPath(this.#session, "qr")));
  }

  #tick() {
    if (!this.#shown) return;
    const seconds = Math.ceil((this.#expires - Date.now()) / 1000);
    if (seconds > 0) fill(this.#left, `This code is good for ${seconds} s. The next one comes by itself.`);
    else fill(this.#left, "The next code comes ...");
  }

  /** @param {{code: string, expiresAt: number}} told */
  #type({ code, expiresAt }) {
    const until = new Date(expiresAt).toLocaleTimeString();
    fill(
      this.#typed,
      h("p", {}, "Type this on the phone:"),
      h(
        "p",
        { class: "code" },
        h("output", {}, code),
        " ",
        h("button", { type: "button", class: "quiet", "data-copy": code }, "Copy"),
      ),
      h("p", { class: "quiet" }, `Good until ${until}.`),
    );
  }
}
