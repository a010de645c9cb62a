// The groups: whatever changes in one is done by a person.

import { at, call } from "./api.js";
import { button, byId, el, replace } from "./dom.js";
import { ask, shell } from "./form-dialog.js";
import { accountOf, fullName, nameOf } from "./names.js";
import { network, refresh, watch } from "./network.js";
import { complain, doing, tell } from "./notices.js";

/** Shows the groups from now on. */
export function start() {
  byId("add-group").addEventListener("click", addGroup);
  watch(["groups", "contacts", "phones"], draw);
}

function draw() {
  const empty = el("li", { class: "empty" }, "No group yet.");
  replace(byId("group-list"), network.groups.length ? network.groups.map(row) : empty);
}

function row(group) {
  const names = group.members.map((member) => nameOf(member.jid));
  const shown = names.length > 5 ? `${names.slice(0, 5).join(", ")} and ${names.length - 5} more` : names.join(", ");
  return el(
    "li",
    { class: "row" },
    el("span", { class: "what" }, group.subject || "(no name)", el("small", {}, shown)),
    button("Change", () => openGroup(group.id), { class: "quiet", "data-key": `group-${group.id}`, "aria-label": `Change ${group.subject}` }),
  );
}

function persons() {
  return network.contacts.filter((contact) => contact.kind === "person").map((contact) => [contact.number, fullName(contact)]);
}

function everybody(but = []) {
  return [...network.phones, ...network.contacts]
    .filter((account) => !but.includes(account.number))
    .map((account) => [account.number, fullName(account)]);
}

function addGroup() {
  if (!persons().length) {
    complain(new Error("A group is made by a person: add one first."));
    return;
  }
  ask({
    title: "Make a group",
    fields: [
      { name: "subject", label: "Name", value: "Friends" },
      { name: "by", label: "Made by", kind: "select", options: persons() },
      { name: "members", label: "Members", kind: "choices", options: everybody(), value: network.phones.map(({ number }) => number) },
    ],
    action: "Make",
    run: async (fields) => {
      const members = fields.members.filter((number) => number !== fields.by);
      await call("POST", "groups", { ...fields, members });
      tell(`The group ${fields.subject} is there.`);
      await refresh();
    },
  });
}

function openGroup(id) {
  const content = el("div", { class: "group" });
  const dialog = shell("Change a group", content, el("div", { class: "actions" }, button("Close", () => dialog.close())));
  const show = () => {
    const group = network.groups.find((each) => each.id === id);
    if (group) {
      replace(content, inside(group, show));
    } else {
      dialog.close();
    }
  };
  show();
  dialog.showModal();
}

function inside(group, show) {
  const change = (path, body, method = "POST") =>
    doing(async () => {
      const answer = await call(method, path, body);
      for (const { number, error } of answer?.refused ?? []) {
        complain(new Error(`${nameOf(number)} could not be changed: WhatsApp's code is ${error}.`));
      }
      await refresh();
      show();
    });
  const path = at("groups", group.id);
  const members = (what, number) =>
    what === "leave"
      ? change(at("contacts", number, "groups", group.id), undefined, "DELETE")
      : change(`${path}/members`, { change: what, members: [number] });
  return [
    el("h3", {}, group.subject),
    el("p", { class: "facts" }, `Made by ${nameOf(group.creator)}`, el("small", {}, group.jid)),
    el("ul", { class: "rows" }, group.members.map((member) => memberRow(group, member, members))),
    el(
      "div",
      { class: "actions" },
      button("Add members", () => addMembers(group, show), { "data-key": "add" }),
      button("Rename", () => rename(group, show), { "data-key": "rename", class: "quiet" }),
      button(group.announce ? "Let everybody write" : "Let only admins write", change(path, { announce: !group.announce }, "PATCH"), { "data-key": "announce", class: "quiet" }),
      button(group.locked ? "Let everybody change the group" : "Let only admins change the group", change(path, { locked: !group.locked }, "PATCH"), { "data-key": "locked", class: "quiet" }),
      button("New invite code", change(`${path}/invite`, {}), { "data-key": "invite", class: "quiet" }),
    ),
    el("p", { class: "facts" }, "Invite code", el("small", {}, group.inviteCode)),
  ];
}

function memberRow(group, member, members) {
  const name = nameOf(member.jid);
  const act = (label, what) =>
    button(label, members(what, member.number), { class: "quiet", "data-key": `${what}-${member.number}`, "aria-label": `${label} ${name}` });
  const creator = member.number === group.creator;
  const person = accountOf(member.jid)?.kind === "person";
  const role = { superadmin: "made the group", admin: "admin", member: "member" }[member.role];
  return el(
    "li",
    { class: "row" },
    el("span", { class: "what" }, name, el("small", {}, `${member.number} · ${role}`)),
    creator ? null : act(...(member.role === "admin" ? ["Make a member", "demote"] : ["Make an admin", "promote"])),
    creator ? null : act("Remove", "remove"),
    person ? act("Leave", "leave") : null,
  );
}

function addMembers(group, show) {
  ask({
    title: `Add members to ${group.subject}`,
    fields: [{ name: "members", label: "Who", kind: "choices", options: everybody(group.members.map(({ number }) => number)) }],
    action: "Add",
    run: async ({ members }) => {
      if (!members.length) {
        throw new Error("Choose somebody first.");
      }
      const { refused } = await call("POST", `${at("groups", group.id)}/members`, { change: "add", members });
      for (const { number, error } of refused) {
        complain(new Error(`${nameOf(number)} could not be added: WhatsApp's code is ${error}.`));
      }
      await refresh();
      show();
    },
  });
}

function rename(group, show) {
  ask({
    title: `Rename ${group.subject}`,
    fields: [{ name: "subject", label: "Name", value: group.subject }],
    action: "Rename",
    run: async ({ subject }) => {
      await call("PATCH", at("groups", group.id), { subject });
      await refresh();
      show();
    },
  });
}
