// Slack's mrkdwn as nodes (Slack, page "Formatting message text"): *bold*, _italic_, ~strike~, `code`, quotes,
// fences, <tokens>, three entities and emoji names. What is not one of these is text.

import { el } from "./dom.js";
import { emoji } from "./emoji.js";
import { formatDate } from "./dates.js";

const MARKS = { "*": "strong", _: "em", "~": "s" };
const WORD = /[\p{L}\p{N}]/u;

/** Undo the three entities that Slack escapes with. */
export const unescape = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

/** Let a long text break after a comma, as a distinguished name is read; the text itself stays what it is. */
export const breakable = (text) =>
  text.split(/(?<=,)(?=\S)/).flatMap((part, index) => (index ? [el("wbr"), part] : [part]));

/** Put emoji in the place of their short names; an unknown name stays. */
export function withEmoji(text) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(/:([a-z0-9_+'-]+):/g)) {
    const found = emoji(match[1]);
    if (found === undefined) continue;
    nodes.push(text.slice(end, match.index), emojiNode(match[1], found));
    end = match.index + match[0].length;
  }
  nodes.push(text.slice(end));
  return nodes.filter((node) => node !== "");
}

function emojiNode(name, character) {
  return el("span", { class: "emoji", role: "img", "aria-label": name.replaceAll("_", " ") }, character);
}

/** Write mrkdwn as nodes. `names` turns ids into names: `{user(id), channel(id)}`. */
export function mrkdwn(text, names) {
  const nodes = [];
  const parts = text.split(/```([\s\S]+?)```/);
  parts.forEach((part, index) => {
    if (index % 2) nodes.push(el("pre", {}, unescape(part.replace(/^\n/, ""))));
    else if (part) nodes.push(...quoted(part, names));
  });
  return nodes;
}

function quoted(text, names) {
  const nodes = [];
  let quote = [];
  let plain = [];
  const flush = () => {
    if (plain.length) nodes.push(...inline(plain.join("\n"), names));
    if (quote.length) nodes.push(el("blockquote", {}, ...inline(quote.join("\n"), names)));
    plain = [];
    quote = [];
  };
  for (const line of text.split("\n")) {
    const match = /^(?:&gt;|>) ?(.*)$/.exec(line);
    if (match) {
      if (plain.length) flush();
      quote.push(match[1]);
    } else {
      if (quote.length) flush();
      plain.push(line);
    }
  }
  flush();
  return nodes;
}

function inline(text, names) {
  const nodes = [];
  let start = 0;
  const keep = (end) => {
    if (end > start) nodes.push(...withEmoji(unescape(text.slice(start, end))));
  };
  let at = 0;
  while (at < text.length) {
    const found = special(text, at, names);
    if (found === null) {
      at += 1;
      continue;
    }
    keep(at);
    nodes.push(found.node);
    at = start = found.end;
  }
  keep(text.length);
  return nodes;
}

function special(text, at, names) {
  const char = text[at];
  if (char === "`") return code(text, at);
  if (char === "<") return token(text, at, names);
  if (char in MARKS && opens(text, at)) {
    const end = closing(text, at);
    if (end > 0) {
      return { node: el(MARKS[char], {}, ...inline(text.slice(at + 1, end), names)), end: end + 1 };
    }
  }
  return null;
}

function code(text, at) {
  const end = text.indexOf("`", at + 1);
  const inside = text.slice(at + 1, end);
  if (end < 0 || inside.trim() === "" || inside.includes("\n")) return null;
  return { node: el("code", {}, ...breakable(unescape(inside))), end: end + 1 };
}

const opens = (text, at) =>
  (at === 0 || !WORD.test(text[at - 1])) && at + 1 < text.length && !/\s/.test(text[at + 1]) && text[at + 1] !== text[at];

function closing(text, at) {
  for (let end = at + 2; end < text.length && text[end] !== "\n"; end += 1) {
    if (text[end] === "`") {
      const after = text.indexOf("`", end + 1);
      if (after > 0) end = after;
    } else if (text[end] === text[at] && !/\s/.test(text[end - 1]) && !(text[end + 1] && WORD.test(text[end + 1]))) {
      return end;
    }
  }
  return -1;
}

function token(text, at, names) {
  const end = text.indexOf(">", at);
  const inside = text.slice(at + 1, end);
  if (end < 0 || inside === "" || inside.includes("\n")) return null;
  const node = tokenNode(inside, names);
  return node === null ? null : { node, end: end + 1 };
}

function tokenNode(inside, names) {
  const bar = inside.indexOf("|");
  const target = bar < 0 ? inside : inside.slice(0, bar);
  const label = bar < 0 ? null : unescape(inside.slice(bar + 1));
  if (target.startsWith("@")) return mention(`@${names.user(target.slice(1)) ?? label ?? target.slice(1)}`);
  if (target.startsWith("#")) return mention(`#${names.channel(target.slice(1)) ?? label ?? target.slice(1)}`);
  if (target.startsWith("!date^")) return date(target, label);
  if (target.startsWith("!")) return mention(`@${label ?? target.slice(1).split("^")[0]}`);
  return link(unescape(target), label);
}

const mention = (text) => el("span", { class: "mention" }, text);

function date(target, label) {
  const [, seconds, format] = target.split("^");
  const shown = formatDate(seconds, unescape(format ?? ""));
  if (shown === null) return el("span", {}, label ?? "");
  const iso = new Date(Number(seconds) * 1000).toISOString();
  return el("time", { datetime: iso, title: label }, shown);
}

/** Make a link, if its address is one that a browser may follow from here; otherwise its text. */
export function link(address, label) {
  if (!/^(https?:\/\/|mailto:)/i.test(address)) return el("span", {}, label ?? address);
  return el("a", { href: address, rel: "noreferrer", target: "_blank" }, label ?? address);
}

/** Write mrkdwn as one plain text, as a notification shows it. */
export function spoken(text, names) {
  return mrkdwn(text, names)
    .map((node) => (typeof node === "string" ? node : node.textContent))
    .join("");
}
