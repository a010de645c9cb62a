// Receives an organization's events: only genuine ones, and answered once they are kept.
//
//   npm ci                                                    with Node 22.18 or newer
//   WEBHOOK_SECRET=... PORT=9000 node src/webhook_receiver.ts
import { mkdirSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import { isGenuine } from "./is_genuine.ts";

const LONGEST = 16 * 1024 * 1024;
const secret = process.env["WEBHOOK_SECRET"] ?? "";
if (!secret) throw new Error("WEBHOOK_SECRET is not set: without it anybody could sign");

// Keeps an event in a file of its id: one that comes twice is there once. Slow work comes later, from there.
async function keep(body: Buffer): Promise<void> {
  const { id } = JSON.parse(body.toString());
  await writeFile(`events/${id}.new`, body);
  await rename(`events/${id}.new`, `events/${id}.json`);
}

async function take(request: IncomingMessage): Promise<number> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request) {
    length += part.length;
    if (length > LONGEST) return 413;
    parts.push(part);
  }
  const body = Buffer.concat(parts);
  if (!isGenuine(secret, body, String(request.headers["x-webhook-hmac"] ?? ""))) return 401;
  await keep(body);
  return 204;
}

mkdirSync("events", { recursive: true });
const server = createServer(async (request, response) => {
  let status = 500; // it could not be kept: the gateway posts it again
  try {
    status = await take(request);
  } catch (failure) {
    console.error("not kept:", String(failure));
  }
  response.writeHead(status, { connection: "close" }).end();
});
server.listen(Number(process.env["PORT"] ?? 9000), () => console.log("listening"));
