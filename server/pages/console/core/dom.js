/** Elements made by hand: whatever is a string is put in as text, never as HTML. */

/** Set as properties, because the attribute is only where they begin. */
const PROPERTIES = new Set(["value", "checked", "disabled", "selected", "hidden", "indeterminate"]);

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * Makes an element.
 *
 * @param {string} tag
 * @param {Record<string, unknown>} [attributes] `onclick` and its like are listeners; null and false are left out.
 * @param {...(Child | Child[])} children null, undefined and false are left out.
 * @returns {any} the element
 */
export function h(tag, attributes = {}, ...children) {
  const element = /** @type {any} */ (document.createElement(tag));
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else if (PROPERTIES.has(name)) element[name] = value;
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false) element.setAttribute(name, String(value));
  }
  append(element, children);
  return element;
}

/**
 * Puts new children in the place of all old ones.
 *
 * @param {Element} element
 * @param {...(Child | Child[])} children
 */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
}

/**
 * @param {Element} element
 * @param {(Child | Child[])[]} children
 */
function append(element, children) {
  for (const child of children.flat())
    if (child !== null && child !== undefined && child !== false)
      element.append(child instanceof Node ? child : String(child));
}

/**
 * A button that does one thing at a time: while it works it cannot be pressed again.
 *
 * @param {string} text
 * @param {(event: Event) => unknown} act may be async; its errors go to `failed`
 * @param {{class?: string, failed?: (error: unknown) => void, [name: string]: unknown}} [more] attributes
 */
export function button(text, act, more = {}) {
  const { failed = defaultFailed, ...attributes } = more;
  const element = h("button", { type: "button", ...attributes }, text);
  element.addEventListener("click", (/** @type {Event} */ event) => busy(element, () => act(event), failed));
  return element;
}

/**
 * Runs something with a button pressed down.
 *
 * @param {HTMLButtonElement} element
 * @param {() => unknown} act
 * @param {(error: unknown) => void} failed
 */
export async function busy(element, act, failed = defaultFailed) {
  if (element.getAttribute("aria-disabled") === "true") return;
  element.setAttribute("aria-disabled", "true"); // not `disabled`: that would lose the focus
  try {
    await act();
  } catch (error) {
    failed(error);
  } finally {
    element.removeAttribute("aria-disabled");
  }
}

/** @type {(error: unknown) => void} */
let defaultFailed = (error) => {
  throw error;
};

/**
 * Says where errors of buttons go that name no place of their own.
 *
 * @param {(error: unknown) => void} failed
 */
export function onFailure(failed) {
  defaultFailed = failed;
}

let count = 0;

/** An id that no other element of this page has. */
export function freshId() {
  count += 1;
  return `made-${count}`;
}
