/**
 * Tells other pages of this origin which codes are shown here: the sandbox's page lets its phones scan them
 * (docs/sandbox.md). Nobody listens where there is no sandbox.
 */

const channel = new BroadcastChannel("wagate-pairing");
/** @type {Map<string, object>} by session */
const shown = new Map();

channel.addEventListener("message", ({ data }) => {
  if (data?.type === "who-shows-one") for (const offer of shown.values()) channel.postMessage(offer);
});

/**
 * @param {string} session its id
 * @param {string} label its name
 * @param {{code: string, expiresAt: number}} told
 */
export function offer(session, label, { code, expiresAt }) {
  shown.set(session, { type: "qr", session, label, code, expiresAt });
  channel.postMessage(shown.get(session));
}

/** @param {string} session */
export function withdraw(session) {
  if (shown.delete(session)) channel.postMessage({ type: "qr-gone", session });
}
