/** Webhooks: where events are posted to, and a new one. */

import { button, fill, h } from "../core/dom.js";
import { form } from "../core/dialog.js";
import { sessionName } from "../core/format.js";
import { fail, words } from "../core/notices.js";
import { hash } from "../core/router.js";
import { bodyOf, fieldsOf } from "./webhook_form.js";

/** @typedef {import("../types.js").Webhook} Webhook */

/** @type {Record<string, [word: string, mood: string]>} */
export const STATES = { active: ["Active", "good"], paused: ["Paused", "off"], suspended: ["Suspended", "bad"] };

/** @type {import("../core/router.js").Show} */
export function show(app) {
  const list = h("ul", { class: "cards", "aria-label": "Webhooks" }, h("li", { class: "empty" }, "Loading ..."));
  let gone = false;

  const refresh = async () => {
    /** @type {Webhook[]} */
    const webhooks = await app.api.all("/webhooks");
    const states = await Promise.all(webhooks.map(({ id }) => app.api.get(`/webhooks/${id}/status`).catch(() => null)));
    if (gone) return;
    if (webhooks.length)
      fill(
        list,
        webhooks.map((webhook, at) => card(webhook, states[at])),
      );
    else
      fill(list, h("li", { class: "empty" }, "There is no webhook yet. One posts each event to an address of yours."));
  };
  if (app.manages) refresh().catch((error) => fill(list, h("li", { class: "empty" }, words(error))));

  const create = async () => {
    const sessions = await app.api.all("/sessions");
    form("New webhook", fieldsOf(sessions, null), "Create", async (values) => {
      const made = await app.api.call("POST", "/webhooks", { body: bodyOf(values, null) });
      location.hash = hash("webhooks", made.id);
    });
  };
  const element = h(
    "section",
    {},
    h(
      "div",
      { class: "head" },
      h("h1", {}, "Webhooks"),
      app.manages && button("New webhook", create, { class: "main", failed: fail }),
    ),
    h("p", { class: "lead" }, "A webhook posts events to an address of yours, in order, until they are taken."),
    app.manages ? list : h("p", { class: "panel" }, "Your token may not see webhooks: it lacks the capability manage."),
  );
  return { title: "Webhooks", element, leave: () => (gone = true) };
}

/** @param {Webhook} webhook @param {{state: string, dead: number} | null} status */
function card(webhook, status) {
  const [word, mood] = STATES[status?.state ?? ""] ?? ["", "off"];
  const events = webhook.events.includes("*") ? "all events" : webhook.events.join(", ");
  return h(
    "li",
    { class: "card" },
    h(
      "div",
      { class: "line between" },
      h("h2", { class: "address" }, h("a", { href: hash("webhooks", webhook.id) }, webhook.url)),
      h("span", { class: `badge ${mood}` }, word),
    ),
    h("p", { class: "quiet" }, events, webhook.sessionId ? `, of session ${webhook.sessionId}` : ", of every session"),
    status &&
      status.dead > 0 &&
      h(
        "p",
        { class: "wrong" },
        `${status.dead} dead letter${status.dead === 1 ? "" : "s"}: `,
        h("a", { href: hash("webhooks", webhook.id) }, "look and send again"),
      ),
  );
}

/** What a session filter is called. @param {import("../types.js").Session[]} sessions @param {string | null} id */
export function filterName(sessions, id) {
  const session = sessions.find((one) => one.id === id);
  return id ? (session ? sessionName(session) : id) : "every session";
}
