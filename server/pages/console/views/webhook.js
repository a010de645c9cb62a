/** One webhook: how its endpoint does, what became of each event, and sending dead letters again. */

import { button, fill, h } from "../core/dom.js";
import { ask, form } from "../core/dialog.js";
import { whole } from "../core/format.js";
import { fail, say, words } from "../core/notices.js";
import { hash } from "../core/router.js";
import { Deliveries } from "./deliveries.js";
import { bodyOf, fieldsOf } from "./webhook_form.js";
import { STATES, filterName } from "./webhooks.js";

/** @typedef {import("../types.js").Webhook} Webhook */

const LOOK_AGAIN = 2000;

/** @type {import("../core/router.js").Show} */
export function show(app, id) {
  const path = `/webhooks/${encodeURIComponent(id)}`;
  const heading = h("h1", { class: "address" }, "Webhook");
  const state = h("div", { class: "panel" }, "Loading ...");
  const actions = h("div", { class: "buttons" });
  const facts = h("dl", { class: "facts" });
  const deliveries = new Deliveries(app, path);
  let gone = false;

  /** @param {any} status */
  const stands = (status) => {
    const [word, mood] = STATES[status.state] ?? [status.state, "off"];
    const next = status.nextAttemptAt ? ` It is tried again at ${whole(status.nextAttemptAt)}.` : "";
    /** @type {Record<string, string>} */
    const texts = {
      active: "Events are posted as they happen.",
      paused: "Nothing is posted. Events wait as long as the log keeps them.",
      suspended: `The endpoint failed ${status.failures} times in a row: its events wait in the log.${next}`,
    };
    fill(
      state,
      h("p", { class: "line" }, h("span", { class: `badge ${mood}` }, word), h("span", {}, texts[status.state])),
      status.dead > 0 &&
        h(
          "p",
          { class: "line" },
          h("strong", {}, `${status.dead} dead letter${status.dead === 1 ? "" : "s"}`),
          button("Send all again", async () => deliveries.redrive([])),
        ),
    );
  };
  const look = async () => {
    const [status] = await Promise.all([app.api.get(`${path}/status`), deliveries.refresh()]);
    if (!gone && state.dataset.was !== JSON.stringify(status)) stands(status);
    state.dataset.was = JSON.stringify(status);
  };
  const refresh = async () => {
    const [webhook, sessions] = await Promise.all([app.api.get(path), app.api.all("/sessions")]);
    if (gone) return;
    heading.textContent = webhook.url;
    fill(actions, buttons(webhook, sessions));
    fill(
      facts,
      factsOf(webhook, sessions).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]),
    );
    await look();
  };

  /** @param {Webhook} webhook @param {any[]} sessions */
  const buttons = (webhook, sessions) => [
    button(webhook.active ? "Pause" : "Go on", async () => {
      await app.api.call("PATCH", path, { body: { active: !webhook.active } });
      say(webhook.active ? "Paused: events wait." : "Events are posted again.");
      await refresh();
    }),
    button("Change ...", () =>
      form("Change the webhook", fieldsOf(sessions, webhook), "Save", async (values) => {
        await app.api.call("PATCH", path, { body: bodyOf(values, webhook) });
        say("Saved. It counts from the next attempt.");
        await refresh();
      }),
    ),
    button(
      "Delete ...",
      () =>
        ask(
          "Delete this webhook?",
          "It goes for good, with its delivery log and its dead letters.",
          "Delete",
          async () => {
            await app.api.call("DELETE", path);
            location.hash = hash("webhooks");
            say("The webhook is deleted.");
          },
        ),
      { class: "danger" },
    ),
  ];

  refresh().catch((error) => fill(state, words(error)));
  const timer = setInterval(() => document.hidden || look().catch((error) => error.status && fail(error)), LOOK_AGAIN);
  return {
    title: "Webhook",
    element: h(
      "section",
      {},
      h("p", { class: "crumbs" }, h("a", { href: hash("webhooks") }, "Webhooks")),
      heading,
      state,
      actions,
      deliveries.element,
      h("h2", {}, "Facts"),
      facts,
    ),
    leave: () => {
      gone = true;
      clearInterval(timer);
    },
  };
}

/** @param {Webhook} webhook @param {any[]} sessions @returns {[string, string | Node][]} */
function factsOf(webhook, sessions) {
  const { policy, delaySeconds, attempts } = webhook.retryPolicy;
  return [
    ["Id", h("code", {}, webhook.id)],
    ["Events", webhook.events.includes("*") ? "all" : webhook.events.join(", ")],
    ["Session", filterName(sessions, webhook.sessionId)],
    ["Tried again", `${policy}, ${delaySeconds} s at first, ${attempts} attempts`],
    ["Further headers", Object.keys(webhook.customHeaders).join(", ") || "none"],
  ];
}
