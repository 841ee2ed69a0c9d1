// Block Kit as it is drawn here: exactly the blocks and elements that the product sends.

import { ask } from "./confirm.js";
import { CONTROL_TYPES, control, isControl } from "./controls.js";
import { el, newId } from "./dom.js";
import { FIELD_TYPES, input } from "./inputs.js";
import { overflow } from "./menu.js";
import { richText } from "./richtext.js";
import { textNodes } from "./text.js";
import { unknown } from "./unknown.js";

const LEVELS = { default: "Note", info: "Info", warning: "Warning", error: "Error", success: "Done" };

const BLOCKS = {
  header: (block, { heading }) => el(heading, { class: "block header" }, ...textNodes(block.text)),
  divider: () => el("hr", { class: "block divider" }),
  section,
  context: (block, view) => el("div", { class: "block context" }, ...block.elements.map((part) => small(part, view))),
  actions: (block, view) => {
    const elements = block.elements.map((element) => draw(element, block, view));
    return el("div", { class: "block actions" }, ...elements);
  },
  rich_text: (block, view) => richText(block, view.names),
  input: (block, view) => input(block, view),
  alert: (block, view) =>
    el(
      "div",
      { class: `block alert ${block.level ?? "default"}`, role: "note" },
      el("strong", {}, LEVELS[block.level ?? "default"]),
      el("p", { class: "text" }, ...textNodes(block.text, view.names)),
    ),
};

const ELEMENTS = { button, overflow: more, ...Object.fromEntries(CONTROL_TYPES.map((type) => [type, choice])) };

/** The types of blocks and elements that can be drawn. */
export const DRAWN = { blocks: Object.keys(BLOCKS), elements: Object.keys(ELEMENTS), fields: FIELD_TYPES };

/**
 * Draw blocks.
 *
 * `view` holds `names` (ids to names), `heading` (the tag for header blocks), `press(block, element, value)` (what a
 * button or a choice does; resolves to null, or to what to tell the person), and where something can be chosen
 * `suggest(block, element, text)` and `values` (what is chosen already, by block and action).
 */
export function drawBlocks(blocks, given) {
  const view = {
    ...given,
    use: (block, element) => ({
      names: given.names,
      state: given.values?.[block.block_id]?.[element.action_id],
      suggest: (text) => given.suggest(block, element, text),
    }),
    choose: (block, element, value) => chosen(blockNode(block), view, block, element, value),
  };
  const drawn = blocks.map((block, index) => {
    const node = Object.hasOwn(BLOCKS, block.type) ? BLOCKS[block.type](block, view) : unknown("block", block);
    node.dataset.block = index;
    return node;
  });
  const blockNode = (block) => drawn[blocks.indexOf(block)];
  return drawn;
}

function small(part, view) {
  if (part.type !== "mrkdwn" && part.type !== "plain_text") return unknown("context element", part);
  return el("p", { class: "text" }, ...textNodes(part, view.names));
}

function section(block, view) {
  const parts = [];
  if (block.text) parts.push(el("p", { class: "text" }, ...textNodes(block.text, view.names)));
  if (block.fields) {
    const fields = block.fields.map((field) => el("p", { class: "text field" }, ...textNodes(field, view.names)));
    parts.push(el("div", { class: "fields" }, ...fields));
  }
  const body = el("div", { class: "section-body" }, ...parts);
  const accessory = block.accessory ? draw(block.accessory, block, view) : null;
  return el("div", { class: `block section${block.fields ? " with-fields" : ""}` }, body, accessory);
}

function draw(element, block, view) {
  return Object.hasOwn(ELEMENTS, element.type)
    ? ELEMENTS[element.type](element, block, view)
    : unknown("element", element);
}

function button(element, block, view) {
  // The name stays the visible text; what the app has for screen readers describes the button further.
  const said = element.accessibility_label;
  const description = said ? el("span", { id: newId("said"), hidden: true }, said) : null;
  const isLink = /^https?:\/\//.test(element.url ?? "");
  const node = el(
    isLink ? "a" : "button",
    {
      ...(isLink ? { href: element.url, rel: "noreferrer", target: "_blank" } : { type: "button" }),
      class: `button ${element.style ?? ""}`,
      "aria-describedby": description?.id,
      data: { action: element.action_id, value: element.value ?? "" },
    },
    ...textNodes(element.text),
  );
  node.addEventListener("click", () => pressed(node, block, element, view));
  return description ? el("span", { class: "described" }, node, description) : node;
}

function more(element, block, view) {
  const { node, button: dots } = overflow(element, (value) => pressed(dots, block, element, view, value));
  return node;
}

function choice(element, block, view) {
  if (!isControl(element)) return unknown("element", element);
  const name = element.placeholder?.text ?? block.text?.text ?? "Options";
  const changed = (value) => view.choose(block, element, value);
  return control(element, { ...view.use(block, element), id: newId("field"), name, attributes: {}, changed });
}

/** Do what a button does, once at a time, if the person is sure; say beside it what went wrong. */
async function pressed(node, block, element, view, value) {
  if (node.getAttribute("aria-busy") === "true") return;
  node.setAttribute("aria-busy", "true");
  await chosen(node.closest(".block"), view, block, element, value);
  node.removeAttribute("aria-busy");
}

/** Resolves to false where the person said no. */
async function chosen(place, view, block, element, value) {
  if (element.confirm && !(await ask(element.confirm, view.names))) return false;
  place.parentElement?.querySelectorAll(".trouble.of-press").forEach((old) => old.remove());
  const trouble = await view.press(block, element, value);
  if (trouble) place.after(el("p", { class: "trouble of-press", role: "alert" }, trouble));
  return true;
}

/** Say how the workspace is to find an element: by its action, or by its place where that is not enough. */
export function addressOf(blocks, block, element) {
  const usable = (one) => [one.accessory, one.element, ...(one.type === "actions" ? one.elements : [])].filter((e) => e?.action_id);
  const same = blocks.flatMap(usable).filter((e) => e.action_id === element.action_id && e.value === element.value);
  if (element.type === "button" && same.length === 1) return { action: element.action_id, value: element.value };
  return { action: `${blocks.indexOf(block)}.${usable(block).indexOf(element)}` };
}
