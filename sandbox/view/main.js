// The sandbox's page: puts its parts together.

import * as chat from "./chat.js";
import { byId } from "./dom.js";
import * as faults from "./faults.js";
import * as groups from "./groups.js";
import * as journal from "./journal.js";
import * as network from "./network.js";
import * as people from "./people.js";
import * as phones from "./phones.js";
import { follow } from "./records.js";
import * as selection from "./selection.js";
import * as steps from "./steps.js";
import * as tabs from "./tabs.js";

// The console is beside this page only where the gateway serves both.
byId("console").hidden = !location.pathname.startsWith("/sandbox/");

tabs.start();
selection.start();
phones.start();
people.start();
groups.start();
chat.start();
faults.start();
journal.start();
steps.start();

network.watch(["health", "stats"], () => {
  const { answers, known } = network.health;
  const { online = 0, messages } = network.network.stats;
  const words = known ? `Online: ${online} · sent: ${messages?.accepted ?? 0} · waiting: ${messages?.queued ?? 0}` : "Looking for the sandbox ...";
  const text = answers ? words : "The sandbox does not answer. This page tries again.";
  const health = byId("health");
  health.classList.toggle("bad", !answers);
  if (health.textContent !== text) {
    health.replaceChildren(text);
  }
});
network.start();
follow();
