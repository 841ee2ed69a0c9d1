// Block Kit as it is drawn here: exactly the blocks and elements that the product sends.

import { el, newId } from "./dom.js";
import { FIELD_TYPES, input } from "./inputs.js";
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

const ELEMENTS = { button };

/** The types of blocks and elements that can be drawn. */
export const DRAWN = { blocks: Object.keys(BLOCKS), elements: Object.keys(ELEMENTS), fields: FIELD_TYPES };

/**
 * Draw blocks.
 *
 * `view` holds `names` (ids to names), `heading` (the tag for header blocks), `press(block, element)` (what a
 * button does; resolves to null, or to what to tell the person).
 */
export function drawBlocks(blocks, view) {
  return blocks.map((block, index) => {
    const drawn = Object.hasOwn(BLOCKS, block.type) ? BLOCKS[block.type](block, view) : unknown("block", block);
    drawn.dataset.block = index;
    return drawn;
  });
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
  if (element.confirm || element.url) return unknown("button option", { type: element.confirm ? "confirm" : "url" });
  // The name stays the visible text; what the app has for screen readers describes the button further.
  const said = element.accessibility_label;
  const description = said ? el("span", { id: newId("said"), hidden: true }, said) : null;
  const node = el(
    "button",
    {
      type: "button",
      class: `button ${element.style ?? ""}`,
      "aria-describedby": description?.id,
      data: { action: element.action_id, value: element.value ?? "" },
    },
    ...textNodes(element.text),
  );
  node.addEventListener("click", () => pressed(node, () => view.press(block, element)));
  return description ? el("span", { class: "described" }, node, description) : node;
}

async function pressed(node, press) {
  if (node.getAttribute("aria-busy") === "true") return;
  node.setAttribute("aria-busy", "true");
  const block = node.closest(".block");
  block.parentElement.querySelectorAll(".trouble").forEach((old) => old.remove());
  const trouble = await press();
  node.removeAttribute("aria-busy");
  if (trouble) block.after(el("p", { class: "trouble", role: "alert" }, trouble));
}

/** Say how the workspace is to find an element: by its action, or by its place where that is not enough. */
export function addressOf(blocks, block, element) {
  const usable = (one) => [one.accessory, ...(one.type === "actions" ? one.elements : [])].filter((e) => e?.action_id);
  const same = blocks.flatMap(usable).filter((e) => e.action_id === element.action_id && e.value === element.value);
  if (same.length === 1) return { action: element.action_id, value: element.value };
  return { action: `${blocks.indexOf(block)}.${usable(block).indexOf(element)}` };
}
