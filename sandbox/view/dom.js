// Builds and replaces elements. Whatever comes from the network becomes text, never markup.

/**
 * Makes an element.
 *
 * @param {string} tag
 * @param {Object} attributes Functions become listeners (`onclick`), true and false set or leave out.
 * @param {...(Node|string|number|null|false|Array)} children
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      element.addEventListener(name.slice(2), value);
    } else if (value === true) {
      element.setAttribute(name, "");
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, String(value));
    }
  }
  element.append(...present(children));
  return element;
}

/** A button that does nothing but its work. */
export function button(text, onclick, attributes = {}) {
  return el("button", { type: "button", onclick, ...attributes }, text);
}

/** Replaces what is in an element; what has the same `data-key` keeps the focus and stays open. */
export function replace(container, ...children) {
  const active = document.activeElement;
  const key = container.contains(active) ? active.dataset.key : undefined;
  const open = new Set([...container.querySelectorAll("details[open]")].map((details) => details.dataset.key));
  container.replaceChildren(...present(children));
  for (const details of container.querySelectorAll("details[data-key]")) {
    details.open = open.has(details.dataset.key);
  }
  if (key !== undefined) {
    container.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
  }
}

/** The element with an id, which the page has. */
export function byId(id) {
  return document.getElementById(id);
}

let ids = 0;

/** An id that no other element has. */
export function freshId(prefix) {
  ids += 1;
  return `${prefix}-${ids}`;
}

function present(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : String(child)));
}
