// Input blocks of a modal: a label, a field, a hint, and what was wrong with what was typed.

import { CONTROL_TYPES, control, isControl, isGroup } from "./controls.js";
import { el, newId } from "./dom.js";
import { textNodes } from "./text.js";
import { unknown } from "./unknown.js";

/** The types of elements that an input block can hold here. */
export const FIELD_TYPES = CONTROL_TYPES;

/** Draw an input block; `view.errors` holds what is wrong, by block id, and `view.use(block, element)` its element's ways. */
export function input(block, view) {
  const { element } = block;
  if (!isControl(element)) return unknown("input element", element);
  const id = newId("field");
  const wrong = view.errors?.[block.block_id];
  const hint = block.hint ? el("p", { class: "hint", id: `${id}-hint` }, ...textNodes(block.hint)) : null;
  const error = wrong ? el("p", { class: "trouble", id: `${id}-error`, role: "alert" }, wrong) : null;
  const described = [error, hint].filter(Boolean).map((node) => node.id);
  const grouped = isGroup(element);
  const name = [...textNodes(block.label), block.optional ? el("span", { class: "optional" }, " (optional)") : null].filter(Boolean);
  const label = grouped ? el("p", { class: "label", id: `${id}-label` }, ...name) : el("label", { for: id }, ...name);
  const field = control(element, {
    ...view.use(block, element),
    id,
    name: null,
    title: block.label.text,
    attributes: {
      required: !block.optional,
      "aria-labelledby": grouped ? label.id : null,
      "aria-invalid": wrong ? "true" : null,
      "aria-describedby": described.join(" ") || null,
    },
    changed: block.dispatch_action ? (value) => view.choose(block, element, value) : null,
  });
  field.dataset.field = block.block_id;
  field.dataset.kind = `${element.type} ${element.action_id}`; // another element in its place starts afresh
  return el("div", { class: "block input" }, label, field, error, hint);
}

const fieldsIn = (node) => [...node.querySelectorAll("[data-field]")];

/** Read what is typed into the fields of a node and picked in them, by block id. */
export function typedIn(node) {
  return Object.fromEntries(fieldsIn(node).map((one) => [one.dataset.field, one.field.read()]));
}

/** Keep the state of the fields of a node over a redraw. */
export function keptIn(node) {
  return Object.fromEntries(fieldsIn(node).map((one) => [`${one.dataset.field} ${one.dataset.kind}`, one.field.keep()]));
}

/** Put back what was in the fields before a redraw, where the same field is still there. */
export function retype(node, kept) {
  for (const one of fieldsIn(node)) {
    const known = `${one.dataset.field} ${one.dataset.kind}`;
    if (Object.hasOwn(kept, known)) one.field.write(kept[known]);
  }
}

/** Go to the first field with something wrong in it. */
export function focusOnWrong(node) {
  const wrong = node.querySelector("[aria-invalid]");
  (wrong?.matches("input, textarea, select") ? wrong : wrong?.querySelector("input"))?.focus();
}
