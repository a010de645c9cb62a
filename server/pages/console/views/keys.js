/** Keys: what the signed-in token may do, and how api-keys are made, listed and taken back. */

import { fill, h } from "../core/dom.js";

/** @type {[title: string, text: string, command: string][]} */
const COMMANDS = [
  [
    "Make a key for a script",
    "Printed once; the gateway keeps its hash. Choose of read, send and manage.",
    'wagate keys create --permissions read,send --expires-in 90d --label "shop"',
  ],
  ["List keys", "With when each was last used, and without their secrets.", "wagate keys list"],
  ["Take a key back", "Whoever uses it is signed out within seconds, here too.", "wagate keys revoke <id>"],
];

/** @type {import("../core/router.js").Show} */
export function show(app) {
  const may = h("ul", { class: "may" });
  const stop = app.live.watch((/** @type {string} */ state) =>
    fill(
      may,
      line("manage", app.manages, "see and change sessions and webhooks"),
      line("read", state !== "forbidden", "read chats and follow events"),
      h(
        "li",
        {},
        h("strong", {}, "send"),
        ": send and act on messages. It shows when you try: the API tells nobody what a token may do.",
      ),
    ),
  );
  return {
    title: "Keys",
    element: h(
      "section",
      {},
      h("h1", {}, "Keys"),
      h("h2", {}, "Your token"),
      h(
        "p",
        {},
        app.live.organization && ["It belongs to the organization ", h("code", {}, app.live.organization), ". "],
        "It may:",
      ),
      may,
      h("h2", {}, "Api-keys"),
      h(
        "p",
        {},
        "Api-keys are made on the command line, on the machine of the gateway, so that no stolen token can make another one. Run these where the gateway's data is (in a checkout: ",
        h("code", {}, ".venv/bin/wagate"),
        ").",
      ),
      COMMANDS.map(([title, text, command]) =>
        h(
          "div",
          { class: "panel" },
          h("h3", {}, title),
          h("p", { class: "quiet" }, text),
          h(
            "div",
            { class: "line command" },
            h("code", {}, command),
            h(
              "button",
              { type: "button", class: "small", "data-copy": command, "aria-label": `Copy: ${title}` },
              "Copy",
            ),
          ),
        ),
      ),
      h("h2", {}, "What to do with a key"),
      h("p", {}, h("a", { href: "../docs/" }, "The reference of the API"), " has every call, and lets you try it."),
      h("h2", {}, "Login tokens"),
      h(
        "p",
        {},
        "People may sign in with a login token (JWT) of your frontend instead. It is good until it expires, and its role says what it may do: owner and admin everything, member read and send.",
      ),
    ),
    leave: stop,
  };
}

/** @param {string} name @param {boolean} has @param {string} what */
function line(name, has, what) {
  return h("li", {}, h("strong", {}, name), `: ${has ? "yes" : "no"}, ${what}.`);
}
