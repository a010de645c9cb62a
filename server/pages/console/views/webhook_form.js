/** The fields of a webhook, and the request that they make. */

import { ApiError } from "../core/api.js";
import { sessionName } from "../core/format.js";

/** @typedef {import("../types.js").Webhook} Webhook */

/** Names of events (docs/events.md). */
export const EVENTS = [
  "message",
  "message.decrypted",
  "message.edited",
  "message.revoked",
  "message.reaction",
  "message.status",
  "poll.vote",
  "auth.qr",
  "session.status",
  "chat.updated",
  "group.updated",
  "presence",
  "call",
  "history.synced",
];
/** @type {[string, string][]} */
const POLICIES = [
  ["exponential", "Exponential: each wait twice the one before"],
  ["linear", "Linear: each wait longer by the first"],
  ["constant", "Constant: each wait the same"],
];

/**
 * @param {import("../types.js").Session[]} sessions
 * @param {Webhook | null} webhook the one that is changed; null for a new one
 * @returns {import("../core/form.js").Field[]}
 */
export function fieldsOf(sessions, webhook) {
  const all = webhook?.events.includes("*");
  const policy = webhook?.retryPolicy ?? { policy: "exponential", delaySeconds: 2, attempts: 15 };
  const headers = Object.entries(webhook?.customHeaders ?? {}).map(([name, value]) => `${name}: ${value}`);
  return [
    {
      name: "url",
      label: "Address",
      value: webhook?.url,
      hint: "https://..., or http://... where nobody is on the way.",
      attributes: { inputmode: "url" },
    },
    {
      name: "events",
      label: "Events",
      kind: "checks",
      options: EVENTS.map((name) => [name, name]),
      value: all ? [] : webhook?.events,
      hint: "None chosen: all of them, also those of later versions.",
    },
    {
      name: "sessionId",
      label: "Session",
      kind: "select",
      options: [
        ["", "Every session"],
        ...sessions.map((one) => /** @type {[string, string]} */ ([one.id, sessionName(one)])),
      ],
      value: webhook?.sessionId ?? "",
    },
    {
      name: "secret",
      label: webhook ? "New secret" : "Secret",
      kind: "password",
      hint: webhook
        ? "Empty: as it is. It is never shown."
        : "Signs each post with HMAC-SHA512. Empty: posts are not signed. It is never shown again.",
      attributes: { autocomplete: "new-password" },
    },
    {
      name: "customHeaders",
      label: "Further headers, a line each",
      kind: "lines",
      value: headers,
      hint: "Name: value",
      more: true,
    },
    {
      name: "policy",
      label: "Waits between attempts",
      kind: "select",
      options: POLICIES,
      value: policy.policy,
      more: true,
    },
    { name: "delaySeconds", label: "First wait, seconds", kind: "number", value: policy.delaySeconds, more: true },
    { name: "attempts", label: "Attempts at most", kind: "number", value: policy.attempts, more: true },
  ];
}

/**
 * @param {Record<string, any>} values of the form
 * @param {Webhook | null} webhook the one that is changed; null for a new one
 */
export function bodyOf({ url, events, sessionId, secret, customHeaders, ...retryPolicy }, webhook) {
  return {
    url,
    events: events.length ? events : ["*"],
    sessionId: sessionId || null,
    customHeaders: Object.fromEntries(customHeaders.map(header)),
    retryPolicy,
    ...(secret || !webhook ? { secret } : {}),
  };
}

/** @param {string} line */
function header(line) {
  const colon = line.indexOf(":");
  if (colon < 1)
    throw new ApiError(400, {
      code: "validation_error",
      message: "",
      details: { customHeaders: `“${line}” is no header: write Name: value` },
    });
  return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
}
