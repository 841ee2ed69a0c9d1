// Input blocks of a modal: a label, a field, a hint, and what was wrong with what was typed.

import { el, newId } from "./dom.js";
import { textNodes } from "./text.js";
import { unknown } from "./unknown.js";

const FIELDS = {
  plain_text_input: (element, attributes) => {
    const node = el(element.multiline ? "textarea" : "input", {
      ...attributes,
      class: "field-input",
      placeholder: element.placeholder?.text,
      maxlength: element.max_length,
      rows: element.multiline ? "4" : null,
    });
    node.value = element.initial_value ?? "";
    return node;
  },
};

/** The types of elements that an input block can hold here. */
export const FIELD_TYPES = Object.keys(FIELDS);

/** Draw an input block; `view.errors` holds what is wrong, by block id. */
export function input(block, view) {
  if (!Object.hasOwn(FIELDS, block.element.type)) return unknown("input element", block.element);
  const id = newId("field");
  const wrong = view.errors?.[block.block_id];
  const hint = block.hint ? el("p", { class: "hint", id: `${id}-hint` }, ...textNodes(block.hint)) : null;
  const error = wrong ? el("p", { class: "trouble", id: `${id}-error`, role: "alert" }, wrong) : null;
  const described = [error, hint].filter(Boolean).map((node) => node.id);
  const field = FIELDS[block.element.type](block.element, {
    id,
    required: !block.optional,
    "aria-invalid": wrong ? "true" : null,
    "aria-describedby": described.join(" ") || null,
    data: { field: block.block_id },
  });
  const label = el("label", { for: id }, ...textNodes(block.label));
  const optional = block.optional ? el("span", { class: "optional" }, " (optional)") : null;
  if (optional) label.append(optional);
  return el("div", { class: "block input" }, label, field, error, hint);
}

/** Read what is typed into the fields of a node, by block id. */
export function typedIn(node) {
  return Object.fromEntries([...node.querySelectorAll("[data-field]")].map((one) => [one.dataset.field, one.value]));
}

/** Put back what was typed before a redraw, where the same field is still there. */
export function retype(node, values) {
  for (const field of node.querySelectorAll("[data-field]")) {
    if (Object.hasOwn(values, field.dataset.field)) field.value = values[field.dataset.field];
  }
}
