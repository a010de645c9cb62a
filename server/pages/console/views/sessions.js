/** All sessions: where each stands, who must act, and a new one. */

import { sessionPath } from "../core/api.js";
import { button, fill, h } from "../core/dom.js";
import { form } from "../core/dialog.js";
import { fail } from "../core/notices.js";
import { sessionName } from "../core/format.js";
import { hash } from "../core/router.js";
import { badge, unpaired, whoActs } from "./status.js";

/** @typedef {import("../types.js").Session} Session */

/** Many changes at once, as when a node starts, are one look at the list. */
const GATHER = 250;

/** @type {import("../core/router.js").Show} */
export function show(app) {
  const list = h(
    "ul",
    { class: "cards", "aria-label": "Sessions", "aria-busy": "true" },
    h("li", { class: "empty" }, "Loading ..."),
  );
  /** @type {Map<string, string>} what the gateway says of sessions, by id */
  const told = new Map();

  const refresh = async () => {
    const sessions = /** @type {Session[]} */ (await app.api.all("/sessions"));
    await Promise.all(sessions.map((session) => explain(app, session, told)));
    list.removeAttribute("aria-busy");
    const focused = list.contains(document.activeElement) && document.activeElement?.getAttribute("href");
    if (sessions.length)
      fill(
        list,
        sessions.map((session) => card(session, told.get(session.id))),
      );
    else fill(list, h("li", { class: "empty" }, "There is no session yet. Create one, then link a phone to it."));
    if (focused) /** @type {HTMLElement | null} */ (list.querySelector(`[href="${CSS.escape(focused)}"]`))?.focus();
  };
  if (app.manages) refresh().catch(fail);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let soon;
  const stop = app.live.follow((/** @type {import("../types.js").Event} */ event) => {
    if (event.event !== "session.status") return;
    told.delete(event.session ?? "");
    soon ??= setTimeout(() => {
      soon = undefined;
      refresh().catch(fail);
    }, GATHER);
  });

  const leave = () => {
    clearTimeout(soon);
    stop();
  };

  const element = h(
    "section",
    {},
    h(
      "div",
      { class: "head" },
      h("h1", {}, "Sessions"),
      app.manages && button("New session", () => create(app), { class: "main" }),
    ),
    h("p", { class: "lead" }, "A session is one WhatsApp number: one device, linked to one account."),
    app.manages
      ? list
      : h(
          "p",
          { class: "panel" },
          "Your token may not list sessions: it lacks the capability manage. With a session's id you can open its ",
          h("a", { href: hash("chats") }, "chats"),
          ".",
        ),
  );
  return { title: "Sessions", element, leave };
}

/**
 * Asks why a session does not work.
 *
 * @param {any} app
 * @param {Session} session
 * @param {Map<string, string>} told
 */
async function explain(app, session, told) {
  if (!["failed", "logged_out"].includes(session.status) || told.has(session.id)) return;
  try {
    told.set(session.id, (await app.api.get(sessionPath(session.id, "health"))).message ?? "");
  } catch {
    // It was deleted meanwhile, or the next look will tell.
  }
}

/** @param {Session} session @param {string} [message] */
function card(session, message) {
  const name = sessionName(session);
  return h(
    "li",
    { class: "card" },
    h(
      "div",
      { class: "line between" },
      h("h2", {}, h("a", { href: hash("sessions", session.id) }, name)),
      badge(session.status),
    ),
    h(
      "p",
      { class: "quiet" },
      session.phoneNumber && !name.endsWith(session.phoneNumber) ? `+${session.phoneNumber} · ` : "",
      whoActs(session, message),
    ),
    h(
      "div",
      { class: "buttons" },
      unpaired(session)
        ? h("a", { class: "button main", href: hash("sessions", session.id) }, "Link a phone")
        : h("a", { class: "button", href: hash("chats", session.id) }, "Chats"),
      !unpaired(session) && h("a", { class: "button", href: hash("sessions", session.id) }, "Details"),
    ),
  );
}

/** @param {any} app */
function create(app) {
  form(
    "New session",
    [
      {
        name: "label",
        label: "Name",
        hint: "For people, such as “Shop”. At most 200 characters.",
        attributes: { maxlength: "200" },
      },
      { name: "autoRead", label: "Mark what comes in as read", kind: "check" },
      { name: "presenceTyping", label: "Show “typing” before each message", kind: "check" },
    ],
    "Create",
    async (values) => {
      const session = await app.api.call("POST", "/sessions", { body: { ...values, start: true } });
      location.hash = hash("sessions", session.id);
    },
  );
}
