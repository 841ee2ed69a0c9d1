// The field at the bottom: what is typed, and what is offered while it is.

import { announce } from "./announce.js";
import { el, fill, icon, newId } from "./dom.js";

const MOST_SHOWN = 60;
const VERBS = [
  { label: "preview", name: "show what would be done, and write nothing", insert: "preview " },
  { label: "history", name: "what happened, and when", insert: "history " },
  { label: "help", name: "what you can type", insert: "help" },
];

export class Composer {
  #options = [];
  #active = -1;
  #dismissed = null;

  /** `send(text)` resolves to null, or to what to tell the person. */
  constructor(node, send) {
    this.send = send;
    this.model = null;
    const listId = newId("options");
    this.field = el("textarea", {
      id: "composer",
      rows: "1",
      "aria-label": "Message",
      "aria-autocomplete": "list",
      "aria-haspopup": "listbox",
      "aria-controls": listId,
      "aria-describedby": "composer-help",
      autocomplete: "off",
      autocapitalize: "off",
      spellcheck: "false",
      enterkeyhint: "send",
    });
    this.list = el("div", { class: "options", id: listId, role: "listbox", "aria-label": "Suggestions" });
    this.help = el("p", { class: "options-help", "aria-hidden": "true" });
    this.panel = el("div", { class: "options-panel", hidden: true }, this.list, this.help);
    this.trouble = el("p", { class: "trouble", role: "alert", hidden: true });
    this.button = el("button", { type: "submit", class: "send" }, icon("send"), el("span", { class: "hidden" }, "Send"));
    const form = el("form", { class: "composer" }, this.field, this.button);
    const help = el("p", { class: "hidden", id: "composer-help" }, "Suggestions appear as you type a command: arrow keys choose, Enter takes.");
    fill(node, this.panel, this.trouble, form, help);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.field.addEventListener("input", () => this.#typed());
    this.field.addEventListener("keydown", (event) => this.#key(event));
    this.field.addEventListener("focus", () => this.#offer());
    node.addEventListener("focusout", (event) => {
      if (!node.contains(event.relatedTarget)) this.#close();
    });
  }

  /** Take on the workspace as it is now. */
  show(model, channel) {
    const early = this.model === null && this.field.value !== "" && document.activeElement === this.field;
    this.model = model;
    if (early) this.#offer(); // typed before there was anything to offer
    this.field.disabled = this.button.disabled = channel.is_archived;
    const place = `${channel.kind === "direct" ? "" : "#"}${model.title(channel)}`;
    this.field.placeholder = channel.is_archived ? `${place} is archived: nobody can write here` : `To ${place} – type / for a command`;
  }

  /** Put a text into the field, ready to be sent. */
  use(text) {
    this.field.value = text;
    this.#typed();
    this.#close();
    this.field.focus();
    this.field.setSelectionRange(text.length, text.length);
  }

  #typed() {
    this.#dismissed = null;
    this.trouble.hidden = true;
    this.field.style.height = "auto";
    this.field.style.height = `${Math.min(this.field.scrollHeight, 160)}px`;
    this.#offer();
  }

  async #submit() {
    const text = this.field.value.trim();
    if (text === "") return;
    this.#close();
    this.field.value = "";
    this.#typed();
    const trouble = await this.send(text);
    if (!trouble) return;
    if (this.field.value === "") this.field.value = text;
    this.trouble.textContent = trouble;
    this.trouble.hidden = false;
  }

  // --- suggestions ---------------------------------------------------------------------------------------

  #offer() {
    const text = this.field.value;
    if (this.model === null || text === this.#dismissed) return;
    this.#options = suggestionsFor(this.model, text).slice(0, MOST_SHOWN);
    // Completing the command's name is what Enter means while it is unfinished; otherwise Enter sends.
    this.#active = this.#options[0]?.isCommand ? 0 : -1;
    if (this.#options.length === 0) {
      this.#close();
      return;
    }
    fill(this.list, ...this.#options.map((option, index) => this.#draw(option, index)));
    if (this.panel.hidden) announce(`${this.#options.length} ${this.#options.length === 1 ? "suggestion" : "suggestions"}`);
    this.panel.hidden = false;
    this.#mark();
  }

  #draw(option, index) {
    const node = el(
      "div",
      { class: "option", role: "option", id: newId("option"), "aria-selected": "false" },
      el("span", { class: "option-label" }, option.label),
      el("span", { class: "option-dash" }, " — "),
      el("span", { class: "option-name" }, option.name),
    );
    // Not on click: the field would lose the focus first.
    node.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      this.#take(index);
    });
    node.addEventListener("pointermove", (event) => {
      // A list that opens under a pointer at rest is no choice.
      if (this.#active === index || (event.movementX === 0 && event.movementY === 0)) return;
      this.#active = index;
      this.#mark({ scroll: false });
    });
    return node;
  }

  #mark({ scroll = true } = {}) {
    [...this.list.children].forEach((node, index) => {
      node.setAttribute("aria-selected", String(index === this.#active));
    });
    const active = this.list.children[this.#active];
    if (active) this.field.setAttribute("aria-activedescendant", active.id);
    else this.field.removeAttribute("aria-activedescendant");
    if (scroll) active?.scrollIntoView({ block: "nearest" });
    this.help.textContent = active ? "Enter takes it · Esc closes" : "↑ ↓ choose · Enter sends what is typed · Esc closes";
  }

  #close() {
    this.panel.hidden = true;
    this.#options = [];
    this.#active = -1;
    this.field.removeAttribute("aria-activedescendant");
  }

  #take(index) {
    const option = this.#options[index];
    this.field.value = option.text;
    this.#typed();
    this.field.focus();
    this.field.setSelectionRange(option.text.length, option.text.length);
  }

  #key(event) {
    if (event.isComposing) return;
    const isOpen = !this.panel.hidden;
    if (isOpen && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      const from = this.#active < 0 && step < 0 ? 0 : this.#active;
      this.#active = (from + step + this.#options.length) % this.#options.length;
      this.#mark();
    } else if (isOpen && event.key === "Escape") {
      event.preventDefault();
      this.#dismissed = this.field.value;
      this.#close();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      if (isOpen && this.#active >= 0) this.#take(this.#active);
      else this.#submit();
    }
  }
}

/** List what can follow a text: commands, the words after one, or the people it could be about. */
export function suggestionsFor(model, text) {
  if (!text.startsWith("/")) return [];
  const commands = model.app.commands;
  const command = commands.find((one) => text === one.command || text.startsWith(`${one.command} `));
  if (command === undefined || text === command.command) {
    return commands
      .filter((one) => one.command.startsWith(text))
      .map((one) => ({
        label: one.command,
        name: one.description,
        text: `${one.command} `,
        isCommand: text !== one.command,
      }));
  }
  return afterCommand(model, command.command, text.slice(command.command.length + 1));
}

function afterCommand(model, command, rest) {
  const [, verb, query] = /^(preview |history )?([\s\S]*)$/.exec(rest.trimStart());
  const start = `${command} ${verb ?? ""}`;
  const verbs = verb ? [] : VERBS.filter((one) => one.insert.startsWith(query) && one.insert.trim() !== query);
  const people = model.suggestions.filter((one) => fits(one, query));
  const offered = [
    ...(query === "" ? [] : verbs),
    ...people.map((one) => ({ label: one.label, name: one.name, insert: one.text })),
    ...(query === "" ? verbs : []),
  ];
  if (model.suggestions.some((one) => one.text === query)) return [];
  return offered.map((one) => ({ label: one.label, name: one.name, text: start + one.insert }));
}

function fits(suggestion, query) {
  const all = `${suggestion.label} ${suggestion.name} ${suggestion.text}`.toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}
