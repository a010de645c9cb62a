import { createHmac, timingSafeEqual } from "node:crypto";

// body: the raw bytes, before any parser; signature: the header x-webhook-hmac.
export function isGenuine(secret: string, body: Buffer, signature: string): boolean {
  const expected = Buffer.from(createHmac("sha512", secret).update(body).digest("hex"));
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
