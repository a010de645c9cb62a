/** The delivery log of a webhook: what became of each event, newest first. */

import { button, fill, h } from "../core/dom.js";
import { time, whole } from "../core/format.js";
import { say } from "../core/notices.js";

/** @typedef {import("../types.js").Delivery} Delivery */

const PAGE = 50;
/** @type {Record<string, [string, string]>} */
const STATES = { pending: ["Waiting", "wait"], delivered: ["Delivered", "good"], dead: ["Dead", "bad"] };

export class Deliveries {
  #api;
  #path;
  #state = "";
  #pages = 1;
  #drawn = "";
  #rows = h("tbody", {});
  #more = h("div", {});

  /**
   * @param {any} app
   * @param {string} path the webhook's
   */
  constructor(app, path) {
    this.#api = app.api;
    this.#path = path;
    const choice = h(
      "select",
      {
        "aria-label": "Show",
        onchange: () => {
          this.#state = choice.value;
          this.#pages = 1;
          this.refresh();
        },
      },
      [
        ["", "All deliveries"],
        ["pending", "Waiting"],
        ["delivered", "Delivered"],
        ["dead", "Dead letters"],
      ].map(([value, text]) => h("option", { value }, text)),
    );
    const heads = ["Event", "State", "Attempts", "Last answer", "When", ""].map((text) =>
      h("th", { scope: "col" }, text || h("span", { class: "unseen" }, "Actions")),
    );
    this.element = h(
      "section",
      { "aria-label": "Delivery log" },
      h("div", { class: "head" }, h("h2", {}, "Delivery log"), choice),
      h(
        "div",
        { class: "wide", tabindex: "0", role: "region", "aria-label": "Deliveries" },
        h("table", {}, h("thead", {}, h("tr", {}, heads)), this.#rows),
      ),
      this.#more,
    );
  }

  async refresh() {
    /** @type {Delivery[]} */
    const found = [];
    let cursor = "";
    for (let page = 0; page < this.#pages && (page === 0 || cursor); page++) {
      const answer = await this.#api.get(`${this.#path}/deliveries`, {
        limit: PAGE,
        ...(this.#state && { state: this.#state }),
        ...(cursor && { cursor }),
      });
      found.push(...answer.data);
      cursor = answer.nextCursor;
    }
    const text = JSON.stringify([found, this.#state, cursor]);
    if (text === this.#drawn) return; // buttons that have the focus keep it
    this.#drawn = text;
    fill(
      this.#rows,
      found.length
        ? found.map((delivery) => this.#row(delivery))
        : h("tr", {}, h("td", { colspan: 6, class: "empty" }, "Nothing here.")),
    );
    fill(
      this.#more,
      cursor &&
        button("More", () => {
          this.#pages += 1;
          return this.refresh();
        }),
    );
  }

  /** @param {string[]} deliveryIds none: all that are dead */
  async redrive(deliveryIds) {
    const { redriven } = await this.#api.call("POST", `${this.#path}:redrive`, { body: { deliveryIds } });
    say(redriven === 1 ? "One delivery is on its way again." : `${redriven} deliveries are on their way again.`);
    await this.refresh();
  }

  /** @param {Delivery} delivery */
  #row({ id, event, state, attempts, lastStatus, lastError, nextAttemptAt, deliveredAt, createdAt }) {
    const [word, mood] = STATES[state] ?? [state, "off"];
    const answer = lastError ?? (lastStatus ? String(lastStatus) : "");
    const when = deliveredAt ?? nextAttemptAt ?? createdAt;
    return h(
      "tr",
      {},
      h("td", {}, h("span", { title: id }, event)),
      h("td", {}, h("span", { class: `badge ${mood}` }, word)),
      h("td", {}, attempts),
      h("td", {}, answer),
      h(
        "td",
        {},
        h("time", { title: whole(when) }, state === "pending" && nextAttemptAt ? `next at ${time(when)}` : time(when)),
      ),
      h("td", {}, state === "dead" && button("Send again", () => this.redrive([id]), { class: "small" })),
    );
  }
}
