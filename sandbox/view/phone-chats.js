// How a phone shows its chats: archived, pinned, muted. What is changed there, its linked devices are told.

import { at, call } from "./api.js";
import { button, el, replace } from "./dom.js";
import { shell } from "./form-dialog.js";
import { fullName, nameOf } from "./names.js";
import { network } from "./network.js";
import { complain, doing } from "./notices.js";

const FOR_EVER = -1;

/** Opens the chats of a phone. */
export async function openPhoneChats(phone) {
  const list = el("ul", { class: "rows" });
  const dialog = shell(
    `Chats of ${fullName(phone)}`,
    el("p", { class: "about" }, "What is archived, pinned or muted on the phone. Linked devices are told of every change."),
    list,
    el("div", { class: "actions" }, button("Close", () => dialog.close())),
  );
  dialog.showModal();
  try {
    await draw(list, phone);
  } catch (error) {
    complain(error);
  }
}

async function draw(list, phone) {
  const known = await call("GET", `${at("phones", phone.number)}/chats`);
  const byAddress = new Map(known.flatMap((chat) => [chat.jid, chat.lid].map((address) => [address, chat])));
  const others = [...network.contacts, ...network.groups.filter(({ members }) => members.some(({ number }) => number === phone.number))];
  const rows = others.map(({ jid, lid }) => row(list, phone, lid ?? jid, byAddress.get(jid) ?? byAddress.get(lid) ?? {}));
  replace(list, rows.length ? rows : el("li", { class: "empty" }, "There is nobody to chat with yet: add a person."));
}

function row(list, phone, jid, chat) {
  const muted = chat.mutedUntil === FOR_EVER || chat.mutedUntil > Date.now();
  const change = (what) =>
    doing(async () => {
      await call("PATCH", at("phones", phone.number, "chats", jid), what);
      await draw(list, phone);
    });
  const act = (word, what) =>
    button(word, change(what), { class: "quiet", "data-key": `${Object.keys(what)[0]}-${jid}`, "aria-label": `${word} ${nameOf(jid)}` });
  const words = [chat.archived ? "archived" : "", chat.pinned ? "pinned" : "", muted ? "muted" : ""].filter(Boolean);
  return el(
    "li",
    { class: "row" },
    el("span", { class: "what" }, nameOf(jid), el("small", {}, words.join(" · ") || "shown as usual")),
    act(chat.archived ? "Unarchive" : "Archive", { archived: !chat.archived }),
    act(chat.pinned ? "Unpin" : "Pin", { pinned: !chat.pinned }),
    act(muted ? "Unmute" : "Mute", { mutedUntil: muted ? null : FOR_EVER }),
  );
}
