// What is on the network now, asked for again and again while somebody looks, and who hears of changes.

import { call } from "./api.js";

const PAUSE = 1500; // milliseconds between two looks

/** The newest answer of `GET /network`. */
export let network = { phones: [], contacts: [], groups: [], calls: [], faults: [], stats: {} };

/** Whether there has been an answer yet, and whether the latest question got one. */
export const health = { known: false, answers: true };

const watchers = [];
let known = {};
let asking = null;
let next = 0;

/**
 * Has a function called when some parts of the network have changed, and once at the start.
 *
 * @param {string[]} parts Of the network's fields, and "health".
 * @param {function(): void} draw
 */
export function watch(parts, draw) {
  watchers.push({ parts, draw });
}

/** Looks now, for those who have just changed something. */
export async function refresh() {
  // Somebody else's look may have begun before the change.
  await asking;
  asking = look();
  await asking;
}

/** Looks from now on. */
export function start() {
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) {
      refresh();
    }
  });
  refresh();
}

/** Has everybody draw who cares for a part. */
export function changed(...parts) {
  for (const watcher of watchers) {
    if (watcher.parts.some((part) => parts.includes(part))) {
      watcher.draw();
    }
  }
}

async function look() {
  clearTimeout(next);
  const before = JSON.stringify(health);
  const different = [];
  try {
    const answer = await call("GET", "network");
    for (const [part, value] of Object.entries(answer)) {
      const text = JSON.stringify(value);
      if (known[part] !== text) {
        known[part] = text;
        different.push(part);
      }
    }
    network = answer;
    Object.assign(health, { known: true, answers: true });
  } catch {
    health.answers = false;
  }
  if (JSON.stringify(health) !== before) {
    different.push("health");
  }
  changed(...different);
  if (!document.hidden) {
    next = setTimeout(refresh, PAUSE);
  }
}
