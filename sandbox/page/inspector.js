// What stands behind a message or a modal: the payload as the app sent it, and what the validator says of it.

import { el, fill, icon } from "./dom.js";

const MARKS = /("(?:\\.|[^"\\])*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * Draw payload and verdict.
 *
 * `json`: what to show; `problems`: the validator's; `blocks` and `measured`: what the limits are about.
 */
export function drawPayload(node, { json, problems, blocks, limits, measured }) {
  const length = new TextEncoder().encode(JSON.stringify(measured)).length;
  const size = limits.unit === "bytes" ? length : JSON.stringify(measured).length;
  const sizes = `${count(blocks.length)} of ${count(limits.blocks)} blocks · ${count(size)} of ${count(limits.size)} ${limits.unit}`;
  fill(
    node,
    el("h3", { class: "verdict-title" }, "Block Kit validator"),
    el("p", { class: `verdict ${problems.length ? "bad" : "good"}` }, verdict(problems)),
    problems.length ? el("ul", { class: "problems" }, ...problems.map(problem)) : null,
    el("p", { class: "sizes" }, sizes),
    el("h3", { class: "verdict-title" }, "JSON"),
    el("pre", { class: "json", tabindex: "0" }, ...coloured(JSON.stringify(json, null, 2))),
  );
}

function verdict(problems) {
  if (problems.length === 0) return "Valid. Slack's rules and the product's own are kept.";
  const many = problems.length === 1 ? "one of the product's own rules is" : `${problems.length} of the product's own rules are`;
  return `Slack takes it, but ${many} broken.`;
}

function problem({ pointer, rule, message }) {
  return el("li", {}, el("code", {}, pointer || "/"), ` ${message} `, el("span", { class: "rule" }, rule));
}

const count = (number) => number.toLocaleString("en");

function coloured(text) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(MARKS)) {
    const [all, string, colon] = match;
    const kind = string === undefined ? "literal" : colon === undefined ? "string" : "key";
    nodes.push(text.slice(end, match.index), el("span", { class: `json-${kind}` }, string ?? all), colon ?? "");
    end = match.index + all.length;
  }
  nodes.push(text.slice(end));
  return nodes;
}

/** The panel at the right that shows one message's payload and follows its changes. */
export class Inspector {
  #ts = null;

  /** `opened()`: the panel was opened; another one makes room. */
  constructor(node, opened) {
    this.node = node;
    this.opened = opened;
    this.body = el("div", { class: "panel-body" });
    const close = el("button", { type: "button", class: "tool", on: { click: () => this.close() } }, icon("close"), el("span", { class: "hidden" }, "Close payload"));
    fill(node, el("header", {}, el("h2", {}, "Payload"), close), this.body);
    node.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
    this.closeButton = close;
  }

  /** Show a message's payload, or close the panel if it is that message's already. */
  toggle(model, ts) {
    if (this.#ts === ts) {
      this.close();
      return;
    }
    const opener = document.activeElement;
    this.#ts = ts;
    this.node.hidden = false; // before the other panel goes: what stands beside them keeps its width
    this.opened();
    this.opener = opener;
    this.update(model);
    this.closeButton.focus({ preventScroll: true });
  }

  /** Draw anew what may have changed. */
  update(model) {
    if (this.#ts === null) return;
    const message = model.messages.get(this.#ts);
    if (message === undefined) {
      this.close();
      return;
    }
    const { channel, text, blocks, metadata, source, edits } = message;
    const json = { channel, ...(metadata ? { metadata } : {}), text, blocks };
    const limits = { blocks: model.limits.message_blocks, size: model.limits.message_characters, unit: "characters" };
    const top = this.body.scrollTop;
    drawPayload(this.body, { json, problems: message.problems, blocks, limits, measured: blocks });
    const times = edits === 1 ? "edited once" : `edited ${edits} times`;
    this.body.prepend(el("p", { class: "sent-by" }, `Sent by ${source}${edits ? `, ${times}` : ""}`));
    this.body.scrollTop = top;
  }

  close() {
    if (this.node.hidden) return;
    this.#ts = null;
    this.node.hidden = true;
    if (this.opener?.isConnected) this.opener.focus({ preventScroll: true });
  }
}
