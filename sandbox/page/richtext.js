// rich_text blocks: sections, lists, quotes and preformatted text, with the inline parts that go into them.

import { el } from "./dom.js";
import { emoji } from "./emoji.js";
import { formatDate } from "./dates.js";
import { breakable, link } from "./mrkdwn.js";
import { unknown } from "./unknown.js";

const STYLES = { bold: "strong", italic: "em", strike: "s", underline: "u", highlight: "mark", code: "code" };

const PARTS = {
  rich_text_section: (part, names) => el("p", { class: "text" }, ...inline(part.elements, names)),
  rich_text_preformatted: (part, names) => el("pre", { tabindex: "0" }, ...inline(part.elements, names)),
  rich_text_quote: (part, names) => el("blockquote", {}, ...inline(part.elements, names)),
  rich_text_list: (part, names) => {
    const attributes = { class: `list indent-${part.indent ?? 0}`, start: part.offset ? part.offset + 1 : null };
    const items = part.elements.map((item) => el("li", {}, ...inline(item.elements, names)));
    return el(part.style === "ordered" ? "ol" : "ul", attributes, ...items);
  },
};

const INLINE = {
  text: (part) => (part.style?.code ? breakable(part.text) : [part.text]),
  link: (part) => link(part.url, part.text ?? null),
  emoji: (part) => {
    const label = part.name.replaceAll("_", " ");
    const found = emoji(part.name);
    return found ? el("span", { class: "emoji", role: "img", "aria-label": label }, found) : `:${part.name}:`;
  },
  user: (part, names) => el("span", { class: "mention" }, `@${names.user(part.user_id) ?? part.user_id}`),
  channel: (part, names) => el("span", { class: "mention" }, `#${names.channel(part.channel_id) ?? part.channel_id}`),
  broadcast: (part) => el("span", { class: "mention" }, `@${part.range}`),
  date: (part) => {
    const shown = formatDate(part.timestamp, part.format);
    return shown === null ? (part.fallback ?? "") : el("time", {}, shown);
  },
};

/** Draw a rich_text block. */
export function richText(block, names) {
  const parts = block.elements.map((part) =>
    Object.hasOwn(PARTS, part.type) ? PARTS[part.type](part, names) : unknown("rich_text element", part),
  );
  return el("div", { class: "block rich-text" }, ...parts);
}

function inline(parts, names) {
  return parts.flatMap((part) => {
    if (!Object.hasOwn(INLINE, part.type)) return unknown("rich_text part", part);
    const nodes = [INLINE[part.type](part, names)].flat();
    const styles = Object.keys(part.style ?? {}).filter((style) => part.style[style] && STYLES[style]);
    return styles.length ? styles.reduceRight((inner, style) => [el(STYLES[style], {}, ...inner)], nodes)[0] : nodes;
  });
}
