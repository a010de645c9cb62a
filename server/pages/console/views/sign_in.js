/** Signing in. What is typed here goes into memory, and from there into headers alone. */

import { ApiError } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { Form } from "../core/form.js";

/**
 * Shows the form.
 *
 * @param {HTMLElement} main where
 * @param {(token: string) => Promise<void>} enter throws where the gateway does not take the token
 * @param {string} [why] what ended the time before
 */
export function signIn(main, enter, why) {
  const form = new Form(
    [
      {
        name: "token",
        label: "Api-key or login token",
        kind: "password",
        hint: "The command wagate up prints an api-key, and keeps it in data/up.key.",
        attributes: { autocomplete: "off", spellcheck: "false", autocapitalize: "none" },
      },
    ],
    "Sign in",
    async ({ token }) => {
      const trimmed = token.trim();
      if (!/^[!-~]+$/.test(trimmed)) throw refused("this is no api-key and no login token");
      try {
        await enter(trimmed);
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) throw refused(error.message);
        throw error;
      }
    },
  );
  const heading = h("h1", {}, "Sign in");
  fill(
    main,
    h(
      "section",
      { class: "narrow" },
      heading,
      h("p", { class: "lead" }, "The console of this gateway: its sessions, chats, webhooks and events."),
      why && h("p", { class: "notice bad", role: "alert" }, why),
      form.element,
      h(
        "p",
        { class: "hint" },
        "The token stays in this page's memory. It is in no address and is not stored: after a reload you sign in again.",
      ),
    ),
  );
  form.input("token").focus();
}

/** @param {string} message */
function refused(message) {
  return new ApiError(400, { code: "unauthorized", message, details: { token: message } });
}
