// Replies to every text that somebody writes: once, also when this program or the gateway restarts.
//
//   npm ci && npm run types                                   with Node 22.18 or newer
//   WAGATE_URL=http://127.0.0.1:8080 WAGATE_API_KEY=wa_... node src/reply.ts
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.d.ts";
import { type Event, follow } from "./follow.ts";

type Message = components["schemas"]["Message"];

const gateway = createClient<paths>({
  baseUrl: process.env["WAGATE_URL"] ?? "http://127.0.0.1:8080",
  headers: { authorization: `Bearer ${process.env["WAGATE_API_KEY"]}` },
});

async function reply(event: Event, message: Message): Promise<void> {
  for (;;) {
    try {
      const { error, response } = await gateway.POST("/api/v1/sessions/{session}/messages", {
        params: {
          path: { session: message.sessionId },
          query: { async: true }, // the outbox waits for a session that is away, and keeps to the rate
          // After a crash the same event comes again: its id makes sure that the reply does not.
          header: { "Idempotency-Key": event.id },
        },
        body: { to: message.chatJid, type: "text", text: `You said: ${message.body}` },
        signal: AbortSignal.timeout(30_000),
      });
      if (response.status < 500) {
        return console.log(error ? `no reply: ${error.error.code}: ${error.error.message}` : `replied to ${event.id}`);
      }
    } catch (failure) {
      console.error("once more:", String(failure)); // no answer: the key makes that safe
    }
    await sleep(1000);
  }
}

function load(): string {
  return existsSync("position") ? readFileSync("position", "utf8") : "";
}

function save(id: string): void {
  writeFileSync("position.new", id);
  renameSync("position.new", "position"); // a crash leaves the old one or the new one, never half of it
}

try {
  for await (const event of follow(gateway, ["message"], load, save)) {
    const message = event.payload as Message;
    if (event.event === "gap") console.log("away for too long: some events are lost");
    else if (message.direction === "in" && message.type === "text") await reply(event, message);
  }
} catch (failure) {
  console.error(String(failure));
  process.exitCode = 1;
}
