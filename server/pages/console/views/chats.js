/** Chats: the list of a session's beside the one that is open; on a phone, one of the two. */

import { ApiError } from "../core/api.js";
import { button, fill, h } from "../core/dom.js";
import { form } from "../core/dialog.js";
import { jidOf, sessionName } from "../core/format.js";
import { fail } from "../core/notices.js";
import { hash } from "../core/router.js";
import { ChatList } from "./chat_list.js";
import { Conversation } from "./conversation.js";

/** @typedef {import("../types.js").Session} Session */

/** @type {import("../core/router.js").Show} */
export function show(app, session, jid) {
  const list = session ? new ChatList(app, session, jid) : null;
  const conversation = list && jid ? new Conversation(app, session, jid, list.known) : null;
  const picker = h("div", { class: "picker" });
  const side = h(
    "section",
    { class: "side", "aria-label": "Chats" },
    h(
      "div",
      { class: "head" },
      jid ? h("h2", {}, "Chats") : h("h1", {}, "Chats"),
      session && button("New chat", () => begin(session)),
    ),
    picker,
    list?.element,
  );
  const element = h(
    "div",
    { class: `chats ${jid ? "open" : ""}` },
    side,
    conversation?.element ??
      h(
        "section",
        { class: "conversation none" },
        h("p", { class: "empty" }, session ? "Choose a chat, or begin a new one." : "Choose a session."),
      ),
  );
  if (app.manages) pick(app, picker, session, jid).catch(fail);
  else fill(picker, idForm(session));
  return {
    title: "Chats",
    element,
    leave: () => {
      list?.leave();
      conversation?.leave();
    },
  };
}

/**
 * Lets people choose the session.
 *
 * @param {any} app
 * @param {Element} picker
 * @param {string} session the chosen one, or ""
 * @param {string} jid
 */
async function pick(app, picker, session, jid) {
  const sessions = /** @type {Session[]} */ (await app.api.all("/sessions"));
  const linked = sessions.filter((one) => one.waJid);
  if (!session && linked.length === 1) {
    history.replaceState(null, "", hash("chats", linked[0].id));
    dispatchEvent(new HashChangeEvent("hashchange"));
    return;
  }
  if (!linked.length && !jid) {
    fill(picker, h("p", {}, "No session has a phone yet: ", h("a", { href: hash("sessions") }, "link one"), "."));
    return;
  }
  const select = h(
    "select",
    { "aria-label": "Session", onchange: () => (location.hash = hash("chats", select.value)) },
    !linked.some(({ id }) => id === session) && h("option", { value: session }, session || "Choose a session"),
    linked.map((one) => h("option", { value: one.id }, sessionName(one))),
  );
  select.value = session;
  fill(picker, select);
}

/** For tokens that may not list sessions. @param {string} session */
function idForm(session) {
  const input = h("input", {
    value: session,
    "aria-label": "The session's id",
    placeholder: "The session's id",
    autocomplete: "off",
    spellcheck: "false",
  });
  return h(
    "form",
    {
      class: "line",
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        location.hash = hash("chats", input.value.trim());
      },
    },
    input,
    h("button", { type: "submit" }, "Open"),
  );
}

/** @param {string} session */
function begin(session) {
  form(
    "New chat",
    [
      {
        name: "to",
        label: "Phone number, or JID",
        hint: "A number with its country code, such as +62 812 3456 789. A group has a JID: ...@g.us.",
        attributes: { inputmode: "tel" },
      },
    ],
    "Open",
    ({ to }) => {
      const jid = jidOf(to);
      if (!/^[0-9][0-9:-]*@[a-z.]+$/.test(jid))
        throw new ApiError(400, {
          code: "validation_error",
          message: "",
          details: { to: "this is no number and no JID" },
        });
      location.hash = hash("chats", session, jid);
    },
  );
}
