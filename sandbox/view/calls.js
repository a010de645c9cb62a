// Calls: they ring, are taken on the phone, and end. Nobody talks.

import { at, call as ask } from "./api.js";
import { button, el } from "./dom.js";
import { groupOf, nameOf, accountOf } from "./names.js";
import { network, refresh } from "./network.js";
import { doing, tell } from "./notices.js";

/** Lets a person call a phone, or every phone in a group. */
export async function call(person, jid, video) {
  const group = groupOf(jid);
  const called = group ? group.members.map(({ jid: member }) => accountOf(member)) : [accountOf(jid)];
  for (const phone of called.filter((account) => account?.kind === "account")) {
    const body = { to: phone.number, video, ...(group ? { group: jid } : {}) };
    await ask("POST", `${at("contacts", person.number)}/calls`, body);
  }
  tell(`${nameOf(person.number)} calls ${nameOf(jid)}.`);
  await refresh();
}

/** The calls that have not ended, to take and to end them. */
export function calls() {
  return network.calls.map((each) => {
    const words = each.video ? "video call" : "call";
    const where = each.group ? ` in ${nameOf(each.group)}` : "";
    const take = async () => {
      await ask("POST", `${at("calls", each.id)}/accept`);
      await refresh();
    };
    const end = (reason) => async () => {
      await ask("DELETE", `${at("calls", each.id)}${reason ? `?reason=${reason}` : ""}`);
      await refresh();
    };
    return el(
      "div",
      { class: "ringing" },
      el("span", { class: "what" }, `${nameOf(each.from)} → ${nameOf(each.to)}${where}`, el("small", {}, each.taken ? `${words}, taken on the phone` : `${words}, rings`)),
      each.taken ? null : button("Take it on the phone", doing(take), { "data-key": `take-${each.id}` }),
      each.taken ? null : button("Nobody answers", doing(end("timeout")), { class: "quiet", "data-key": `timeout-${each.id}` }),
      button("End", doing(end("")), { class: "quiet", "data-key": `end-${each.id}` }),
    );
  });
}
