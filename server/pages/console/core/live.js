/** One stream of everything that happens in the organization, shared by all views. */

import { BASE, refusalOf } from "./api.js";
import { eventsOf } from "./stream.js";

/** @typedef {import("../types.js").Event} Event */
/** @typedef {"connecting" | "live" | "away" | "forbidden"} State */

/** More than two heartbeats: a stream that is silent for so long is dead. */
const SILENCE = 40_000;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 10_000;
const KEPT = 1000;

export class Live {
  /** @type {State} */
  state = "connecting";
  /** The newest events, oldest first. @type {Event[]} */
  recent = [];
  /** The organization's id, once the stream has told it. */
  organization = "";
  #api;
  #refused;
  #last = "";
  /** @type {Set<(event: Event) => void>} */
  #readers = new Set();
  /** @type {Set<(state: State) => void>} */
  #watchers = new Set();
  #ended = new AbortController();

  /**
   * @param {import("./api.js").Api} api
   * @param {(message: string) => void} refused called when the token is not taken any more
   */
  constructor(api, refused) {
    this.#api = api;
    this.#refused = refused;
  }

  /** Follows until `stop`. After an interruption it goes on behind the last event, so none is missed. */
  async start() {
    let pause = FIRST_PAUSE;
    while (!this.#ended.signal.aborted) {
      const began = Date.now();
      try {
        if (!(await this.#follow())) return;
      } catch {
        // The node restarts, the network is away, or nothing came for too long: all of them pass.
      }
      if (this.#ended.signal.aborted) return;
      this.#stand("away");
      pause = Date.now() - began > SILENCE ? FIRST_PAUSE : Math.min(2 * pause, LONGEST_PAUSE);
      await new Promise((done) => setTimeout(done, pause * (0.5 + Math.random() / 2)));
    }
  }

  stop() {
    this.#ended.abort();
    this.#readers.clear();
    this.#watchers.clear();
  }

  /**
   * @param {(event: Event) => void} reader is told each event from now on, once
   * @returns {() => void} ends that
   */
  follow(reader) {
    this.#readers.add(reader);
    return () => this.#readers.delete(reader);
  }

  /**
   * @param {(state: State) => void} watcher is told the state now, and whenever it changes
   * @returns {() => void} ends that
   */
  watch(watcher) {
    this.#watchers.add(watcher);
    watcher(this.state);
    return () => this.#watchers.delete(watcher);
  }

  /** @returns {Promise<boolean>} whether to come back */
  async #follow() {
    const silent = new AbortController();
    let timer = setTimeout(() => silent.abort(), SILENCE);
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(() => silent.abort(), SILENCE);
    };
    try {
      const answer = await fetch(`${BASE}/events`, {
        headers: { ...this.#api.headers, ...(this.#last && { "last-event-id": this.#last }) },
        signal: AbortSignal.any([this.#ended.signal, silent.signal]),
        credentials: "omit",
        cache: "no-store",
      });
      if (!answer.ok || !answer.body) return this.#turnedAway(refusalOf(answer, await answer.text()));
      for await (const { id, data } of eventsOf(answer.body, alive)) {
        this.#stand("live");
        this.#last = id || this.#last;
        this.#tell(JSON.parse(data));
      }
      return true;
    } finally {
      clearTimeout(timer);
    }
  }

  /** @param {import("./api.js").ApiError} refusal */
  #turnedAway(refusal) {
    if (refusal.status === 401) this.#refused(refusal.message);
    if (refusal.status === 403) this.#stand("forbidden");
    if (refusal.status === 400) this.#last = ""; // another database: its log does not know our last id
    return refusal.status !== 401 && refusal.status !== 403;
  }

  /** @param {Event} event */
  #tell(event) {
    this.organization = event.organization;
    if (event.event === "heartbeat") return;
    this.recent.push(event);
    if (this.recent.length > KEPT) this.recent.splice(0, this.recent.length - KEPT);
    for (const reader of [...this.#readers]) reader(event);
  }

  /** @param {State} state */
  #stand(state) {
    if (state === this.state) return;
    this.state = state;
    for (const watcher of [...this.#watchers]) watcher(state);
  }
}
