/** Where a session stands, in words, and who must act. */

import { h } from "../core/dom.js";

/** @typedef {import("../types.js").Status} Status */

/** @type {Record<Status, {word: string, mood: "good" | "busy" | "wait" | "bad" | "off", who: string}>} */
const WORDS = {
  working: { word: "Working", mood: "good", who: "Connected. Nobody has to act." },
  starting: { word: "Starting", mood: "busy", who: "The gateway is connecting. Nobody has to act." },
  scan_qr_code: { word: "Waiting for a scan", mood: "wait", who: "The account's owner scans the code with the phone." },
  stopped: { word: "Stopped", mood: "off", who: "Start it when you need it." },
  failed: { word: "Failed", mood: "bad", who: "Somebody has to look." },
  logged_out: { word: "Logged out", mood: "bad", who: "The account unlinked this device: pair it again." },
};

/** A badge. @param {Status} status */
export function badge(status) {
  const { word, mood } = WORDS[status] ?? { word: status, mood: "off" };
  return h("span", { class: `badge ${mood}` }, word);
}

/**
 * What happened, and who must act.
 *
 * @param {import("../types.js").Session} session
 * @param {string | null} [message] the gateway's own words, where it has some
 */
export function whoActs(session, message) {
  if (message) return message.charAt(0).toUpperCase() + message.slice(1) + ".";
  if (session.status === "stopped" && !session.waJid) return "No phone is linked yet: pair it.";
  return WORDS[session.status]?.who ?? "";
}

/** Whether a phone has still to be linked. @param {import("../types.js").Session} session */
export function unpaired(session) {
  return !session.waJid || session.status === "logged_out";
}
