// Follows an organization's events by server-sent events, also while the gateway restarts.
import { setTimeout as sleep } from "node:timers/promises";
import { EventSourceParserStream } from "eventsource-parser/stream";
import type { Client } from "openapi-fetch";
import type { components, paths } from "./api.d.ts";

export type Event = components["schemas"]["Event"];

// load: gives the id that was saved last, "" for none. save: keeps one, once its event is dealt with.
export async function* follow(
  gateway: Client<paths>,
  events: string[],
  load: () => string,
  save: (id: string) => void,
): AsyncGenerator<Event> {
  for (;;) {
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(), 40_000); // more than two heartbeats
    try {
      const { data, error, response } = await gateway.GET("/api/v1/events", {
        params: { query: { since: load(), events } },
        parseAs: "stream",
        signal: silence.signal,
      });
      if (response.status < 500 && error) throw new Refusal(`${error.error.code}: ${error.error.message}`);
      const lines = data?.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
      for await (const { data } of lines ?? []) {
        timer.refresh();
        const event: Event = JSON.parse(data);
        if (event.event !== "heartbeat") yield event;
        save(event.id);
      }
    } catch (failure) {
      if (failure instanceof Refusal) throw failure; // asking again would end the same way
      console.error("following again:", String(failure));
    } finally {
      clearTimeout(timer);
      silence.abort();
    }
    await sleep(1000); // the gateway restarts; nothing that happens meanwhile is lost
  }
}

class Refusal extends Error {}
