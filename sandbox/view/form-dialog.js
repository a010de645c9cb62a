// A dialog that asks for a few things, does something with them, and stays open where that was refused.

import { button, el, freshId } from "./dom.js";

/**
 * A field.
 *
 * @typedef {Object} Field
 * @property {string} name
 * @property {string} label
 * @property {"text"|"number"|"tel"|"textarea"|"checkbox"|"select"|"choices"} [kind] "text" without it.
 * @property {any} [value] What it is at first; for "choices" the list of those that are chosen.
 * @property {string} [hint] What to write there.
 * @property {[string, string][]} [options] Value and label of each, for "select" and "choices".
 * @property {boolean} [optional] Whether it may stay empty.
 * @property {Object} [limits] Further attributes of the input.
 */

/**
 * Opens the dialog.
 *
 * @param {Object} asked
 * @param {string} asked.title
 * @param {string} [asked.about] What will happen.
 * @param {Field[]} asked.fields
 * @param {string} asked.action What the button says.
 * @param {function(Object): Promise<void>} asked.run Gets the values by the fields' names.
 */
export function ask({ title, about, fields, action, run }) {
  const controls = fields.map((field) => ({ field, ...control(field) }));
  const problem = el("p", { class: "problem", role: "alert" });
  const submit = el("button", { type: "submit", class: "main" }, action);
  const form = el(
    "form",
    {},
    about ? el("p", { class: "about" }, about) : null,
    controls.map(({ row }) => row),
    problem,
    el("div", { class: "actions" }, button("Cancel", () => dialog.close()), submit),
  );
  const dialog = shell(title, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.replaceChildren();
    submit.disabled = true;
    try {
      await run(Object.fromEntries(controls.map(({ field, read }) => [field.name, read()])));
      dialog.close();
    } catch (error) {
      problem.replaceChildren(error.message);
    } finally {
      submit.disabled = false;
    }
  });
  dialog.showModal();
}

/** A dialog with a title, which goes when it is closed; the caller shows it. */
export function shell(title, ...children) {
  const id = freshId("dialog");
  const dialog = el(
    "dialog",
    { "aria-labelledby": id, onclose: () => dialog.remove() },
    el("h2", { id }, title),
    children,
  );
  document.body.append(dialog);
  return dialog;
}

function control(field) {
  const id = freshId("field");
  const hint = field.hint ? el("small", { id: `${id}-hint` }, field.hint) : null;
  const attributes = { id, "aria-describedby": hint ? hint.id : null, required: !field.optional, ...field.limits };
  if (field.kind === "choices") {
    return choices(field, hint);
  }
  if (field.kind === "checkbox") {
    const box = el("input", { type: "checkbox", id, checked: Boolean(field.value) });
    return { row: el("div", { class: "field check" }, box, el("label", { for: id }, field.label), hint), read: () => box.checked };
  }
  let input;
  if (field.kind === "select") {
    input = el("select", attributes, options(field));
    input.value = field.value ?? field.options[0]?.[0] ?? "";
  } else if (field.kind === "textarea") {
    input = el("textarea", { rows: 4, ...attributes });
    input.value = field.value ?? "";
  } else {
    input = el("input", { type: field.kind ?? "text", autocomplete: "off", ...attributes });
    input.value = field.value ?? "";
  }
  const row = el("div", { class: "field" }, el("label", { for: id }, field.label), input, hint);
  return { row, read: () => (field.kind === "number" ? Number(input.value) : input.value.trim()) };
}

function options(field) {
  return field.options.map(([value, label]) => el("option", { value }, label));
}

function choices(field, hint) {
  const boxes = field.options.map(([value, label]) => {
    const box = el("input", { type: "checkbox", value, checked: (field.value ?? []).includes(value) });
    return { box, row: el("label", { class: "choice" }, box, label) };
  });
  const none = field.options.length ? null : el("p", { class: "about" }, "There is nobody yet.");
  return {
    row: el("fieldset", { class: "field" }, el("legend", {}, field.label), boxes.map(({ row }) => row), none, hint),
    read: () => boxes.filter(({ box }) => box.checked).map(({ box }) => box.value),
  };
}
