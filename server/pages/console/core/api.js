/** Calls of the REST API, with the token of whoever signed in. It is held here, and nowhere else. */

export const BASE = "/api/v1";
const PAGE = 200;

/** What the gateway refused, or that it did not answer. */
export class ApiError extends Error {
  /**
   * @param {number} status HTTP's; 0 where there was no answer
   * @param {{code: string, message: string, details?: Record<string, unknown>}} error the API's envelope
   * @param {number | null} retryAfter seconds
   */
  constructor(status, error, retryAfter = null) {
    super(error.message);
    this.status = status;
    this.code = error.code;
    this.details = error.details ?? {};
    this.retryAfter = retryAfter;
  }
}

export class Api {
  /** @type {string} */
  #token;
  /** @type {(message: string) => void} */
  #refused;

  /**
   * @param {string} token an api-key or a login token
   * @param {(message: string) => void} refused called when the gateway does not take the token any more
   */
  constructor(token, refused) {
    this.#token = token;
    this.#refused = refused;
  }

  /** The header that goes with every call. */
  get headers() {
    return { authorization: `Bearer ${this.#token}` };
  }

  /**
   * Calls an operation.
   *
   * @param {string} method
   * @param {string} path behind `/api/v1`
   * @param {{body?: unknown, query?: Record<string, string | number>, key?: string, signal?: AbortSignal}} [more]
   *   `key` is the Idempotency-Key
   * @returns {Promise<any>} the answer's document; null where it has none
   * @throws {ApiError}
   */
  async call(method, path, { body, query, key, signal } = {}) {
    /** @type {Record<string, string>} */
    const headers = this.headers;
    if (body !== undefined) headers["content-type"] = "application/json";
    if (key) headers["idempotency-key"] = key;
    const search = query ? `?${new URLSearchParams(/** @type {Record<string, string>} */ (query))}` : "";
    let answer, text;
    try {
      answer = await fetch(BASE + path + search, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        signal,
        credentials: "omit",
        cache: "no-store",
      });
      text = await answer.text();
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ApiError(0, { code: "unreachable", message: "the gateway does not answer: is it running?" });
    }
    if (answer.ok) return text ? JSON.parse(text) : null;
    const refusal = refusalOf(answer, text);
    if (refusal.status === 401) this.#refused(refusal.message);
    throw refusal;
  }

  /** @param {string} path @param {Record<string, string | number>} [query] */
  get(path, query) {
    return this.call("GET", path, { query });
  }

  /**
   * All of a list, page by page.
   *
   * @param {string} path
   * @param {number} most stops after so many
   * @returns {Promise<any[]>}
   */
  async all(path, most = 2000) {
    const found = [];
    let cursor = "";
    do {
      const page = await this.get(path, cursor ? { limit: PAGE, cursor } : { limit: PAGE });
      found.push(...page.data);
      cursor = page.nextCursor ?? "";
    } while (cursor && found.length < most);
    return found;
  }
}

/**
 * @param {Response} answer
 * @param {string} text
 */
export function refusalOf(answer, text) {
  const seconds = Number(answer.headers.get("retry-after"));
  let error;
  try {
    error = JSON.parse(text).error;
  } catch {
    error = null;
  }
  error ??= { code: "internal", message: `the gateway answered ${answer.status} without a reason` };
  return new ApiError(answer.status, error, seconds || null);
}

/**
 * A path of a session, or of something in it.
 *
 * @param {string} session
 * @param {...string} parts
 */
export function sessionPath(session, ...parts) {
  return ["/sessions", ...[session, ...parts].map(encodeURIComponent)].join("/");
}

/** A new Idempotency-Key. (`crypto.randomUUID` is there on https and localhost alone.) */
export function freshKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
