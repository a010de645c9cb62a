/** The console: who is signed in, and which view is shown. The token lives in one object in memory. */

import { Api, ApiError } from "./core/api.js";
import { button, fill, h, onFailure } from "./core/dom.js";
import { Live } from "./core/live.js";
import { fail, hush, say } from "./core/notices.js";
import { Router, hash } from "./core/router.js";
import { signIn } from "./views/sign_in.js";

/** @type {import("./core/router.js").Route[]} */
const ROUTES = [
  { path: /^#\/sessions$/, nav: "sessions", load: () => import("./views/sessions.js") },
  { path: /^#\/sessions\/([^/]+)$/, nav: "sessions", load: () => import("./views/session.js") },
  { path: /^#\/chats(?:\/([^/]+))?(?:\/([^/]+))?$/, nav: "chats", load: () => import("./views/chats.js") },
  { path: /^#\/webhooks$/, nav: "webhooks", load: () => import("./views/webhooks.js") },
  { path: /^#\/webhooks\/([^/]+)$/, nav: "webhooks", load: () => import("./views/webhook.js") },
  { path: /^#\/events$/, nav: "events", load: () => import("./views/events.js") },
  { path: /^#\/keys$/, nav: "keys", load: () => import("./views/keys.js") },
];
const PLACES = [
  ["sessions", "Sessions"],
  ["chats", "Chats"],
  ["webhooks", "Webhooks"],
  ["events", "Events"],
  ["keys", "Keys"],
];
const STATES = { connecting: "connecting", live: "live", away: "reconnecting", forbidden: "no live updates" };

const main = /** @type {HTMLElement} */ (document.getElementById("main"));
const nav = /** @type {HTMLElement} */ (document.getElementById("nav"));
const signed = /** @type {HTMLElement} */ (document.getElementById("signed"));

/**
 * What every view gets.
 *
 * @typedef {object} App
 * @property {Api} api
 * @property {Live} live
 * @property {boolean} manages whether the token may see and change sessions and webhooks
 * @property {Map<string, string[]>} polls options of polls that this console knows, by message id
 */

/** @type {(() => void) | null} */
let end = null;

/** @param {string} token @throws {ApiError} */
async function enter(token) {
  const api = new Api(token, (message) => leave(`You are signed out: ${message}.`));
  let manages = true;
  try {
    await api.get("/sessions", { limit: 1 });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 403) throw error;
    manages = false;
  }
  const live = new Live(api, (message) => leave(`You are signed out: ${message}.`));
  /** @type {App} */
  const app = { api, live, manages, polls: new Map() };
  const router = new Router(main, ROUTES, app, (place) => {
    for (const link of nav.querySelectorAll("a"))
      if (link.dataset.place === place) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
  });
  fill(
    nav,
    PLACES.map(([place, text]) => h("a", { href: hash(place), "data-place": place }, text)),
  );
  const state = h("span", { class: "state", id: "live" });
  live.watch((now) => {
    state.dataset.state = now;
    fill(state, STATES[now]);
    state.title =
      now === "forbidden" ? "This token may not read events." : "Whether this page is told what happens as it happens.";
  });
  fill(
    signed,
    state,
    button("Sign out", () => leave("You are signed out.")),
  );
  nav.hidden = signed.hidden = false;
  end = () => {
    end = null;
    live.stop();
    router.stop();
  };
  live.start();
  if (!ROUTES.some((route) => route.path.test(location.hash)))
    history.replaceState(null, "", hash(manages ? "sessions" : "chats"));
  await router.start();
}

/** @param {string} why */
function leave(why) {
  if (!end) return; // before anybody was in, or already out
  end();
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
  nav.hidden = signed.hidden = true;
  fill(nav);
  fill(signed);
  hush();
  out(why);
}

/** @param {string} [why] */
function out(why) {
  document.title = "Sign in - wagate console";
  signIn(main, enter, why);
}

onFailure(fail);
addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  fail(event.reason);
});
document.querySelector(".skip")?.addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
document.addEventListener("click", (event) => {
  const copy = /** @type {HTMLElement} */ (event.target).closest?.("[data-copy]");
  if (copy instanceof HTMLElement)
    navigator.clipboard?.writeText(copy.dataset.copy ?? "").then(() => say("Copied."), fail);
});
out();
