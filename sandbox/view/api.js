// The sandbox's control API, which stands beside the folder of this page wherever that is served.

const BASE = new URL("../", document.baseURI);

/** What the sandbox refused, in its own words. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.name = "Refused";
    this.status = status;
  }
}

/** The sandbox gave no answer at all. */
export class Unreachable extends Error {
  constructor() {
    super("The sandbox does not answer.");
    this.name = "Unreachable";
  }
}

/**
 * One call.
 *
 * @param {string} method
 * @param {string} path Relative to the control API, with its variable parts escaped: see `at`.
 * @param {Object} [body] Sent as JSON.
 * @returns {Promise<any>} The answer's JSON; null where it has none.
 * @throws {Refused|Unreachable}
 */
export async function call(method, path, body) {
  const request = { method, cache: "no-store" };
  if (body !== undefined) {
    request.headers = { "content-type": "application/json" };
    request.body = JSON.stringify(body);
  }
  let answer;
  let text;
  try {
    answer = await fetch(new URL(path, BASE), request);
    text = await answer.text();
  } catch {
    throw new Unreachable();
  }
  let content = null;
  try {
    content = text ? JSON.parse(text) : null;
  } catch {
    throw new Refused(answer.status, `The answer was no JSON (status ${answer.status}).`);
  }
  if (!answer.ok) {
    throw new Refused(answer.status, content?.error?.message ?? `The sandbox refused (status ${answer.status}).`);
  }
  return content;
}

/** A path of escaped parts. */
export function at(...parts) {
  return parts.map(encodeURIComponent).join("/");
}
