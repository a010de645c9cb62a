// What people, phones and groups are called.

import { network } from "./network.js";

let index = { of: null, accounts: new Map(), groups: new Map() };

/** The phone or contact behind a number or an address of either kind; undefined for strangers. */
export function accountOf(address) {
  return indexed().accounts.get(address);
}

/** The group behind an address; undefined where there is none. */
export function groupOf(address) {
  return indexed().groups.get(address);
}

// Of each answer once: a long chat asks for the same few names again and again.
function indexed() {
  if (index.of !== network) {
    const accounts = [...network.phones, ...network.contacts];
    index = {
      of: network,
      accounts: new Map(accounts.flatMap((account) => [account.number, account.jid, account.lid].map((key) => [key, account]))),
      groups: new Map(network.groups.map((group) => [group.jid, group])),
    };
  }
  return index;
}

/** What somebody or a group is called, in as few words as tell who it is. */
export function nameOf(address) {
  const group = groupOf(address);
  if (group) {
    return group.subject || "a group without a name";
  }
  const account = accountOf(address);
  return account?.name || account?.number || String(address ?? "").split("@")[0];
}

/** The same with the number. */
export function fullName(account) {
  return account.name ? `${account.name} (${account.number})` : account.number;
}

/** The next number of a row that nobody has. */
export function freeNumber(first) {
  let number = BigInt(first);
  while (accountOf(String(number))) {
    number += 1n;
  }
  return String(number);
}

const FIRST_NAMES = ["Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gita", "Hugo", "Ines", "Jan", "Kira", "Leo"];

/** A name that nobody has. */
export function freeName() {
  const taken = new Set(network.contacts.map((contact) => contact.name));
  return FIRST_NAMES.find((name) => !taken.has(name)) ?? `Person ${network.contacts.length + 1}`;
}
