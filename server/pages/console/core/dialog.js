/** Questions before what cannot be taken back, and forms over a view. */

import { button, freshId, h } from "./dom.js";
import { Form } from "./form.js";

/**
 * Asks whether to go on.
 *
 * @param {string} title a question
 * @param {string} text what will happen
 * @param {string} verb what the button does, such as "Delete"
 * @param {() => unknown} act done when it is pressed; where that fails, the dialog stays and says why
 */
export function ask(title, text, verb, act) {
  form(title, [], verb, act, h("p", {}, text), "danger");
}

/**
 * Shows a form.
 *
 * @param {string} title
 * @param {import("./form.js").Field[]} fields
 * @param {string} verb
 * @param {(values: any) => unknown} act closes the dialog when it is done
 * @param {Node | null} [lead] stands before the fields
 * @param {string} [kind] "danger" for what cannot be taken back
 */
export function form(title, fields, verb, act, lead = null, kind = "") {
  const id = freshId();
  const cancel = button("Cancel", () => dialog.close());
  const inside = new Form(
    fields,
    verb,
    async (values) => {
      await act(values);
      dialog.close();
    },
    { buttons: [cancel], class: kind },
  );
  const dialog = h("dialog", { "aria-labelledby": id }, h("h2", { id }, title), lead, inside.element);
  const before = /** @type {HTMLElement | null} */ (document.activeElement);
  dialog.addEventListener("close", () => {
    dialog.remove();
    // Where the way back is gone, a reader begins at the view's heading.
    (before?.isConnected ? before : /** @type {HTMLElement | null} */ (document.querySelector("main h1")))?.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
