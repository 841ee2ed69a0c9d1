// The elements that keep a value: each is a node whose `field` reads it, keeps it over a redraw and takes it back.

import { Combobox, searching } from "./combobox.js";
import { el, newId } from "./dom.js";
import { textNodes } from "./text.js";

const TYPING_PAUSE_MS = 300;

const CONTROLS = {
  plain_text_input: text,
  static_select: (element, use) => select(element, use, { load: searching(groupsOf(element)) }),
  multi_static_select: (element, use) => select(element, use, { many: true, load: searching(groupsOf(element)) }),
  external_select: (element, use) => select(element, use, { wait: 1, load: asking(element, use) }),
  multi_external_select: (element, use) => select(element, use, { many: true, wait: 1, load: asking(element, use) }),
  radio_buttons: (element, use) => boxes(element, use, "radio"),
  checkboxes: (element, use) => boxes(element, use, "checkbox"),
  datepicker: date,
};

/** The types of elements that keep a value and can be drawn. */
export const CONTROL_TYPES = Object.keys(CONTROLS);

/** Whether an element is one of them. */
export const isControl = (element) => Object.hasOwn(CONTROLS, element.type);

/** Whether an element is several things with a name for all of them, instead of one that a label can point to. */
export const isGroup = (element) => element.type === "radio_buttons" || element.type === "checkboxes";

/**
 * Draw an element that keeps a value.
 *
 * `use`: id, attributes (for the field or the group), name (if no label names it), title (what its label says), names, state (its value as the
 * workspace has it), suggest(text), changed(value) if each change is to be told, which resolves to false where the old one is to be put back.
 */
export function control(element, use) {
  let settled;
  const changed = async (value) => {
    const before = settled;
    settled = made.keep();
    if ((await use.changed(value)) === false) made.write(before);
  };
  const made = CONTROLS[element.type](element, { ...use, changed: use.changed && changed });
  const { write } = made;
  made.write = (kept) => {
    write(kept);
    settled = made.keep();
  };
  settled = made.keep();
  made.node.field = made;
  return made.node;
}

// --- text ------------------------------------------------------------------------------------------------

function text(element, { id, attributes, name, state, changed }) {
  const node = el(element.multiline ? "textarea" : "input", {
    ...attributes,
    id,
    class: "field-input",
    type: element.multiline ? null : "text",
    "aria-label": name,
    placeholder: element.placeholder?.text,
    minlength: element.min_length,
    maxlength: element.max_length,
    rows: element.multiline ? "4" : null,
    "data-action": element.action_id,
  });
  node.value = state?.value ?? element.initial_value ?? "";
  if (changed) reporting(node, element, () => changed(node.value));
  return {
    node,
    read: () => node.value,
    keep: () => node.value,
    write: (kept) => {
      node.value = kept;
    },
  };
}

/** Tell the app what was typed: on Enter, and where it asked for that after each pause. */
function reporting(node, element, tell) {
  const on = element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
  let timer = null;
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || event.shiftKey || !on.includes("on_enter_pressed")) return;
    event.preventDefault();
    clearTimeout(timer);
    tell();
  });
  node.addEventListener("input", () => {
    clearTimeout(timer);
    if (on.includes("on_character_entered")) timer = setTimeout(() => node.isConnected && tell(), TYPING_PAUSE_MS);
  });
}

function date(element, { id, attributes, name, state, changed }) {
  const node = el("input", { ...attributes, id, type: "date", class: "field-input is-date", "aria-label": name, "data-action": element.action_id });
  node.value = state?.selected_date ?? element.initial_date ?? "";
  if (changed) node.addEventListener("change", () => node.value && changed(node.value));
  return {
    node,
    read: () => node.value || null,
    keep: () => node.value,
    write: (kept) => {
      node.value = kept;
    },
  };
}

// --- choices ---------------------------------------------------------------------------------------------

function groupsOf(element) {
  if (element.option_groups) return element.option_groups.map((group) => ({ label: group.label.text, options: group.options }));
  return [{ label: null, options: element.options ?? [] }];
}

function pickedOf(element, state) {
  if (state && ("selected_option" in state || "selected_options" in state)) {
    return state.selected_options ?? [state.selected_option].filter(Boolean);
  }
  return element.initial_options ?? [element.initial_option].filter(Boolean);
}

function asking(element, { suggest }) {
  const least = element.min_query_length ?? 3;
  return async (typed) => {
    const wanted = typed.trim();
    if (wanted.length < least) return { groups: [], say: `Type at least ${least} ${least === 1 ? "character" : "characters"}.` };
    const answer = await suggest(wanted);
    if (!answer.ok) return { groups: [], say: answer.say };
    const groups = answer.option_groups ? groupsOf(answer) : [{ label: null, options: answer.options }];
    return { groups, say: answer.options.length ? null : "Nobody and nothing found." };
  };
}

function select(element, { id, attributes, name, title, state, changed }, { many = false, wait = 0, load }) {
  const box = new Combobox({
    id,
    name: title ?? name ?? "Options",
    placeholder: element.placeholder?.text,
    many,
    most: element.max_selected_items,
    picked: pickedOf(element, state),
    attributes: { ...attributes, "aria-label": name, "data-action": element.action_id },
    wait,
    load,
    changed: changed && (() => changed(read())),
  });
  const read = () => (many ? box.picked.map((one) => one.value) : (box.picked[0]?.value ?? null));
  return { node: box.node, read, keep: () => box.picked, write: (kept) => box.pick(kept) };
}

function boxes(element, { id, attributes, name, names, state, changed }, type) {
  const group = newId("group");
  const picked = new Set(pickedOf(element, state).map((option) => option.value));
  const { required, ...about } = attributes;
  const inputs = element.options.map((option) =>
    el("input", {
      type,
      name: group,
      value: option.value,
      checked: picked.has(option.value),
      required: type === "radio" && required,
      "data-action": element.action_id,
      "data-value": option.value,
      "aria-describedby": option.description ? `${group}-${option.value}` : null,
    }),
  );
  const lines = element.options.map((option, index) => {
    const more = option.description ? el("span", { class: "choice-more", id: `${group}-${option.value}` }, ...textNodes(option.description, names)) : null;
    return el("div", { class: "box" }, el("label", {}, inputs[index], el("span", {}, ...textNodes(option.text, names))), more);
  });
  const node = el("div", { ...about, id, class: "boxes", role: type === "radio" ? "radiogroup" : "group", "aria-label": name }, ...lines);
  const read = () => {
    const values = inputs.filter((one) => one.checked).map((one) => one.value);
    return type === "radio" ? (values[0] ?? null) : values;
  };
  if (changed) node.addEventListener("change", () => changed(read()));
  return {
    node,
    read,
    keep: read,
    write: (kept) => {
      for (const one of inputs) one.checked = [kept].flat().includes(one.value);
    },
  };
}
