/** The event monitor: what happens in the organization, as it happens. */

import { button, fill, h } from "../core/dom.js";
import { person, sessionName } from "../core/format.js";
import { Form } from "../core/form.js";
import { EVENTS } from "./webhook_form.js";

/** @typedef {import("../types.js").Event} Event */

const SHOWN = 200;
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** @type {import("../core/router.js").Show} */
export function show(app) {
  const list = h("ol", { class: "events", "aria-label": "Events, newest first" });
  const count = h("p", { class: "quiet", role: "status" });
  /** @type {Event[] | null} what came since the pause */
  let waiting = null;
  /** @type {Map<string, string>} */
  const names = new Map();
  /** @type {[string, string][]} */
  const sessions = [["", "All sessions"]];

  const filters = new Form(
    [
      {
        name: "event",
        label: "Event",
        kind: "select",
        options: [["", "All events"], ...EVENTS.map((name) => /** @type {[string, string]} */ ([name, name]))],
      },
      { name: "session", label: "Session", kind: "select", options: sessions },
      { name: "text", label: "Holds the text", hint: "Looked for in the event's whole JSON." },
    ],
    "",
    () => draw(),
    { class: "filters" },
  );
  filters.element.addEventListener("input", () => draw());

  const fits = (/** @type {Event} */ event) => {
    const { event: name, session, text } = filters.values();
    return (
      (!name || event.event === name) &&
      (!session || event.session === session) &&
      (!text.trim() || JSON.stringify(event).toLowerCase().includes(text.trim().toLowerCase()))
    );
  };
  const tell = () => {
    const hidden = waiting?.length ? ` ${waiting.length} more wait behind the pause.` : "";
    const shown = list.childElementCount;
    const told =
      shown === SHOWN
        ? `The newest ${SHOWN} events that fit.`
        : shown
          ? `${shown} event${shown === 1 ? "" : "s"}.`
          : "Nothing that fits has happened since you signed in.";
    fill(count, told + hidden);
  };
  const draw = () => {
    const kept = app.live.recent.filter((/** @type {Event} */ event) => !waiting?.includes(event) && fits(event));
    list.replaceChildren(
      ...kept
        .slice(-SHOWN)
        .reverse()
        .map((/** @type {Event} */ event) => line(event, names)),
    );
    tell();
  };
  const pause = button(
    "Pause",
    () => {
      waiting = waiting ? null : [];
      pause.textContent = waiting ? "Go on" : "Pause";
      draw();
    },
    { "aria-live": "polite" },
  );
  draw();
  const stop = app.live.follow((/** @type {Event} */ event) => {
    if (waiting) waiting.push(event);
    else if (fits(event)) {
      list.prepend(line(event, names));
      while (list.childElementCount > SHOWN) list.lastElementChild?.remove();
    }
    tell();
  });
  if (app.manages)
    app.api.all("/sessions").then((/** @type {any[]} */ found) => {
      for (const one of found) {
        names.set(one.id, sessionName(one));
        filters.input("session").append(h("option", { value: one.id }, sessionName(one)));
      }
      draw();
    });
  return {
    title: "Events",
    element: h(
      "section",
      {},
      h("div", { class: "head" }, h("h1", {}, "Events"), pause),
      h(
        "p",
        { class: "lead" },
        "What happens in your organization since you signed in. Nothing is missed while the connection is away: it goes on where it was.",
      ),
      filters.element,
      count,
      list,
    ),
    leave: stop,
  };
}

/** @param {Event} event @param {Map<string, string>} names of sessions */
function line(event, names) {
  const json = h("pre", { tabindex: "0" });
  return h(
    "li",
    {},
    h(
      "details",
      { ontoggle: () => (json.textContent ||= JSON.stringify(event, null, 2)) },
      h(
        "summary",
        {},
        h("time", { datetime: new Date(event.timestamp).toISOString() }, CLOCK.format(new Date(event.timestamp))),
        " ",
        h("strong", {}, event.event),
        " ",
        h("span", { class: "quiet" }, event.session ? (names.get(event.session) ?? event.session) : ""),
        " ",
        h("span", { class: "gist" }, gist(event)),
      ),
      json,
    ),
  );
}

/** An event in a few words. @param {Event} event */
function gist({ event, payload }) {
  if (!payload) return "";
  const who = payload.reactorJid ?? payload.voterJid ?? payload.personJid ?? payload.senderJid ?? payload.chatJid;
  const what =
    event === "session.status"
      ? `${payload.previous} → ${payload.status}`
      : event === "gap"
        ? "events were lost to this page: they were older than what the gateway keeps"
        : (payload.body ??
          payload.emoji ??
          payload.status ??
          payload.state ??
          payload.change ??
          payload.options?.join(", ") ??
          "");
  const text = [who && person(who), what].filter(Boolean).join(": ");
  return text.length > 140 ? `${text.slice(0, 140)} ...` : text;
}
