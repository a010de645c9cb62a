/** Numbers and names as people read them. */

const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short" });
const WHOLE = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** The time of a message or event: today's without the day. @param {number} ms */
export function time(ms) {
  const date = new Date(ms);
  return date.toDateString() === new Date().toDateString()
    ? TIME.format(date)
    : `${DAY.format(date)}, ${TIME.format(date)}`;
}

/** Day and time to the second. @param {number | null | undefined} ms */
export function whole(ms) {
  return ms ? WHOLE.format(new Date(ms)) : "never";
}

/** The day, as a heading between messages. @param {number} ms */
export function day(ms) {
  const date = new Date(ms);
  return date.toDateString() === new Date().toDateString() ? "Today" : DAY.format(date);
}

/** How long ago. @param {number | null | undefined} ms @param {string} [never] */
export function ago(ms, never = "not yet") {
  if (!ms) return never;
  const seconds = Math.max(0, Math.round((Date.now() - ms) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} days ago`;
}

/** A JID as people know it: a person's number, or the id as it is. @param {string} jid */
export function person(jid) {
  const [user, server] = jid.split("@");
  return server === "s.whatsapp.net" ? `+${user.split(":")[0]}` : jid;
}

/** What a chat is called. @param {{name: string, jid: string}} chat */
export function chatName(chat) {
  return chat.name || person(chat.jid);
}

/** What a session is called. @param {{label: string, phoneNumber: string | null, id: string}} session */
export function sessionName(session) {
  return session.label || (session.phoneNumber && `+${session.phoneNumber}`) || session.id;
}

/**
 * The JID that somebody means: one as it is, or a number as people write it.
 *
 * @param {string} text
 */
export function jidOf(text) {
  const trimmed = text.trim();
  if (trimmed.includes("@") && !trimmed.startsWith("@")) return trimmed;
  const digits = trimmed.replace(/[^0-9]/g, "");
  return digits ? `${digits}@s.whatsapp.net` : trimmed;
}
