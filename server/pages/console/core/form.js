/** Forms: a label for each field, and each refusal of the API at the field that it names. */

import { ApiError } from "./api.js";
import { busy, fill, freshId, h } from "./dom.js";
import { words } from "./notices.js";

/**
 * @typedef {object} Field
 * @property {string} name the API's name for it
 * @property {string} label
 * @property {"text" | "area" | "number" | "password" | "check" | "select" | "checks" | "lines"} [kind]
 *   `checks`: several of the options; `lines`: a list, an entry in each line
 * @property {string} [hint]
 * @property {unknown} [value]
 * @property {[value: string, text: string][]} [options] of `select` and `checks`
 * @property {Record<string, unknown>} [attributes] of the input
 * @property {boolean} [more] seldom needed: folded away
 */

export class Form {
  /** @type {HTMLFormElement} */
  element;
  /** @type {Map<string, {read: () => any, input: HTMLElement, wrong: HTMLElement}>} */
  #fields = new Map();
  #wrong = h("div", { class: "wrong", role: "alert" });
  #send;

  /**
   * @param {Field[]} fields
   * @param {string} verb on the button; "" for none
   * @param {(values: any, form: Form) => unknown} act what the button does; may be async
   * @param {{buttons?: HTMLElement[], class?: string}} [more] further buttons
   */
  constructor(fields, verb, act, { buttons = [], class: kind = "" } = {}) {
    this.#send = h("button", { type: "submit", class: "main" }, verb);
    const seldom = fields.filter(({ more }) => more);
    this.element = h(
      "form",
      {
        class: kind,
        novalidate: true,
        onsubmit: (/** @type {Event} */ event) => {
          event.preventDefault();
          this.submit(act);
        },
      },
      fields.filter(({ more }) => !more).map((field) => this.#made(field)),
      seldom.length > 0 &&
        h(
          "details",
          { class: "more" },
          h("summary", {}, "More"),
          seldom.map((field) => this.#made(field)),
        ),
      this.#wrong,
      h("div", { class: "buttons" }, verb && this.#send, buttons),
    );
  }

  /** @returns {Record<string, any>} what stands in the fields, by their names */
  values() {
    return Object.fromEntries([...this.#fields].map(([name, field]) => [name, field.read()]));
  }

  /** @param {string} name @returns {any} the field's input, or the group of its inputs */
  input(name) {
    return this.#fields.get(name)?.input;
  }

  /** @param {(values: any, form: Form) => unknown} act */
  submit(act) {
    this.#clear();
    return busy(
      this.#send,
      () => act(this.values(), this),
      (error) => this.refuse(error),
    );
  }

  /**
   * Shows why it was not taken.
   *
   * @param {unknown} error
   */
  refuse(error) {
    if (error instanceof ApiError && error.status === 401) return;
    const named = error instanceof ApiError ? Object.entries(error.details) : [];
    let first = null;
    for (const [name, problem] of named) {
      const field = this.#fields.get(name.split(/[.[]/)[0]);
      if (!field) continue;
      fill(field.wrong, sentence(problem));
      field.input.setAttribute("aria-invalid", "true");
      first ??= field.input;
      const folded = field.input.closest("details");
      if (folded) folded.open = true;
    }
    if (first) (first.matches("fieldset") ? first.querySelector("input") : first)?.focus();
    else fill(this.#wrong, h("p", {}, words(error)));
    if (!(error instanceof ApiError)) console.error(error);
  }

  #clear() {
    fill(this.#wrong);
    for (const { input, wrong } of this.#fields.values()) {
      fill(wrong);
      input.removeAttribute("aria-invalid");
    }
  }

  /** @param {Field} field */
  #made({ name, label, kind = "text", hint, value, options = [], attributes = {} }) {
    const id = freshId();
    const wrong = h("p", { class: "wrong", id: `${id}-wrong` });
    const explained = [hint && `${id}-hint`, `${id}-wrong`].filter(Boolean).join(" ");
    const more = { id, name, "aria-describedby": explained, ...attributes };
    const below = [hint && h("p", { class: "hint", id: `${id}-hint` }, hint), wrong];
    if (kind === "checks")
      return this.#group(name, label, options, /** @type {string[]} */ (value ?? []), more, below, wrong);
    const input = made(kind, more, value, options);
    this.#fields.set(name, { input, wrong, read: () => read(kind, input) });
    const named = h("label", { for: id }, label);
    return kind === "check"
      ? h("div", { class: "field check" }, h("div", { class: "line" }, input, named), below)
      : h("div", { class: "field" }, named, input, below);
  }

  /**
   * @param {string} name
   * @param {string} label
   * @param {[string, string][]} options
   * @param {string[]} chosen
   * @param {Record<string, unknown>} more
   * @param {any[]} below
   * @param {HTMLElement} wrong
   */
  #group(name, label, options, chosen, more, below, wrong) {
    const boxes = options.map(([value, text]) => {
      const id = freshId();
      const box = h("input", { type: "checkbox", id, value, checked: chosen.includes(value) });
      return { box, line: h("div", { class: "line" }, box, h("label", { for: id }, text)) };
    });
    const input = h(
      "fieldset",
      { ...more, class: "field" },
      h("legend", {}, label),
      h(
        "div",
        { class: "checks" },
        boxes.map(({ line }) => line),
      ),
      below,
    );
    this.#fields.set(name, {
      input,
      wrong,
      read: () => boxes.filter(({ box }) => box.checked).map(({ box }) => box.value),
    });
    return input;
  }
}

/**
 * @param {string} kind
 * @param {Record<string, unknown>} more
 * @param {any} value
 * @param {[string, string][]} options
 */
function made(kind, more, value, options) {
  if (kind === "select") {
    const select = h(
      "select",
      more,
      options.map(([one, text]) => h("option", { value: one }, text)),
    );
    if (value !== undefined && value !== null) select.value = value;
    return select;
  }
  if (kind === "area") return h("textarea", { rows: 3, ...more, value: value ?? "" });
  if (kind === "lines") return h("textarea", { rows: 4, ...more, value: (value ?? []).join("\n") });
  if (kind === "check") return h("input", { type: "checkbox", ...more, checked: Boolean(value) });
  const type = kind === "password" ? "password" : "text";
  return h("input", {
    type,
    autocomplete: "off",
    ...(kind === "number" && { inputmode: "decimal" }),
    ...more,
    value: value ?? "",
  });
}

/**
 * @param {string} kind
 * @param {any} input
 */
function read(kind, input) {
  if (kind === "check") return input.checked;
  if (kind === "lines")
    return input.value
      .split("\n")
      .map((/** @type {string} */ line) => line.trim())
      .filter(Boolean);
  if (kind === "number") {
    const text = input.value.trim().replace(",", ".");
    return text === "" ? undefined : Number.isNaN(Number(text)) ? text : Number(text);
  }
  return input.value;
}

/** @param {unknown} problem */
function sentence(problem) {
  const text = String(problem);
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}
