/** One session: where it stands, what can be done with it, and linking a phone. */

import { sessionPath } from "../core/api.js";
import { button, fill, h } from "../core/dom.js";
import { ask } from "../core/dialog.js";
import { ago, sessionName, whole } from "../core/format.js";
import { fail, say, words } from "../core/notices.js";
import { hash } from "../core/router.js";
import { Pairing } from "./pairing.js";
import { badge, unpaired, whoActs } from "./status.js";

/** @typedef {import("../types.js").Session} Session */
/** @typedef {import("../types.js").Health} Health */

const LOOK_AGAIN = 5000;

/** @type {import("../core/router.js").Show} */
export function show(app, id) {
  const heading = h("h1", {}, "Session");
  const state = h("div", { class: "panel", role: "status" }, "Loading ...");
  const actions = h("div", { class: "buttons" });
  const facts = h("dl", { class: "facts" });
  const place = h("div", {});
  /** @type {Pairing | null} */
  let pairing = null;
  let gone = false;

  /** @param {Session} session @param {Health} health */
  const draw = (session, health) => {
    heading.textContent = sessionName(session);
    document.title = `${sessionName(session)} - wagate console`;
    fill(state, h("p", { class: "line" }, badge(session.status), h("span", {}, whoActs(session, health.message))));
    // The focus stays where it is: buttons are made anew only where there are other ones.
    const choice = [session.status, session.waJid].join();
    if (actions.dataset.choice !== choice) fill(actions, buttons(session));
    actions.dataset.choice = choice;
    fill(
      facts,
      factsOf(session, health).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]),
    );
    if (unpaired(session) && !pairing) {
      pairing = new Pairing(app, session.id);
      place.replaceChildren(pairing.element);
    }
    pairing?.stands(session);
    if (!unpaired(session)) {
      pairing?.leave();
      pairing = null;
      place.replaceChildren();
    }
  };

  const refresh = async () => {
    const [session, health] = await Promise.all([app.api.get(sessionPath(id)), app.api.get(sessionPath(id, "health"))]);
    if (!gone) draw(session, health);
  };

  /** @param {string} verb @param {string} done */
  const act = (verb, done) => async () => {
    await app.api.call("POST", `${sessionPath(id)}:${verb}`);
    say(done);
    await refresh();
  };

  /** @param {Session} session */
  const buttons = (session) => {
    const linked = !unpaired(session);
    const runs = ["starting", "working", "scan_qr_code"].includes(session.status);
    return [
      linked && h("a", { class: "button main", href: hash("chats", id) }, "Chats"),
      linked && !runs && button("Start", act("start", "The session starts."), { class: "main" }),
      runs && button("Stop", act("stop", "The session is stopped. The device stays linked.")),
      linked && runs && button("Restart", act("restart", "The session starts again.")),
      linked &&
        button("Log out ...", () =>
          ask(
            "Log out this session?",
            "The device is unlinked from the account. The session stays, with its chats, and can be linked again.",
            "Log out",
            act("logout", "The device is unlinked."),
          ),
        ),
      button(
        "Delete ...",
        () =>
          ask(
            "Delete this session?",
            "It goes for good: its device, its stored chats and their messages.",
            "Delete",
            async () => {
              await app.api.call("DELETE", sessionPath(id));
              location.hash = hash("sessions");
              say("The session is deleted.");
            },
          ),
        { class: "danger" },
      ),
    ];
  };

  refresh().catch((error) => fill(state, words(error)));
  const stop = app.live.follow((/** @type {import("../types.js").Event} */ event) => {
    if (event.session !== id) return;
    if (event.event === "session.status") refresh().catch(fail);
    if (event.event === "auth.qr") pairing?.code(event.payload);
  });
  const timer = setInterval(() => document.hidden || refresh().catch(() => {}), LOOK_AGAIN);

  return {
    title: "Session",
    element: h(
      "section",
      {},
      h("p", { class: "crumbs" }, h("a", { href: hash("sessions") }, "Sessions")),
      heading,
      state,
      actions,
      place,
      h("h2", {}, "Facts"),
      facts,
    ),
    leave: () => {
      gone = true;
      clearInterval(timer);
      stop();
      pairing?.leave();
    },
  };
}

/** @param {Session} session @param {Health} health @returns {[string, string | Node][]} */
function factsOf(session, health) {
  const rate = (/** @type {number} */ count) => (count ? String(count) : "any number");
  return [
    ["Id", h("code", {}, session.id)],
    ["Phone number", session.phoneNumber ? `+${session.phoneNumber}` : "none linked"],
    ["Stands there since", whole(health.since)],
    ["Last sign of life", ago(health.lastKeepAliveAt)],
    ["Last thing received", ago(health.lastInboundAt)],
    ["Last message acknowledged", ago(health.lastAckAt)],
    ["Reconnects", String(health.reconnects)],
    ["Held by node", session.gatewayId || "none"],
    ["Messages a minute, an hour", `${rate(session.ratePerMin)}, ${rate(session.ratePerHour)}`],
    ["Marks as read", session.autoRead ? "yes" : "no"],
    ["Shows typing", session.presenceTyping ? "yes" : "no"],
    ["Created", whole(session.createdAt)],
  ];
}
