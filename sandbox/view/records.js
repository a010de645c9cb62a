// The journal as it grows: the newest records of everybody, and all that is shown of one person.

import { at, call } from "./api.js";
import { complain } from "./notices.js";

const NEWEST = 200; // records of everybody
const OF_ONE = 500; // records of the person who is looked at
const WAIT = 25; // seconds that the sandbox waits for a record
const PAUSE = 2000; // milliseconds before it is asked again when it did not answer

/** The newest records of everybody, the latest last. */
export let newest = [];

let person = { number: "", entries: [] };
const listeners = [];

/** Has a function called with the records that have just come. */
export function onRecords(listener) {
  listeners.push(listener);
}

/** The records of the person who is looked at, in order. */
export function entriesOf(number) {
  return person.number === number ? person.entries : [];
}

/** Looks at a person from now on. */
export async function lookAt(number) {
  const looking = { number, entries: [] };
  person = looking;
  merge(looking, await call("GET", `journal?number=${at(number)}&limit=${OF_ONE}`));
}

/** Follows the journal until the page is gone. */
export async function follow() {
  let last = null;
  for (;;) {
    try {
      const path = last === null ? `journal?limit=${NEWEST}` : `journal?after=${last}&limit=${OF_ONE}&wait=${WAIT}`;
      const entries = await call("GET", path);
      const fresh = last !== null;
      last = entries.at(-1)?.seq ?? last ?? 0;
      take(entries, fresh);
    } catch {
      // Whoever answers next may be another network with another journal: then all is read anew.
      last = null;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
    await looked();
  }
}

function take(entries, fresh) {
  newest = fresh ? [...newest, ...entries].slice(-NEWEST) : entries;
  if (fresh) {
    merge(
      person,
      entries.filter((entry) => entry.number === person.number),
    );
  } else if (person.number) {
    lookAt(person.number).then(() => listeners.forEach((listener) => listener([], true)), complain);
  }
  if (entries.length || !fresh) {
    listeners.forEach((listener) => listener(entries, fresh));
  }
}

// A browser has few connections to one host; pages that nobody sees leave theirs to the others.
function looked() {
  return new Promise((resolve) => {
    const settle = () => {
      if (!document.hidden) {
        document.removeEventListener("visibilitychange", settle);
        resolve();
      }
    };
    document.addEventListener("visibilitychange", settle);
    settle();
  });
}

function merge(into, entries) {
  if (!entries.length) {
    return;
  }
  const known = new Set(into.entries.map((entry) => entry.seq));
  const added = entries.filter((entry) => !known.has(entry.seq));
  into.entries = [...into.entries, ...added].sort((one, other) => one.seq - other.seq);
}
