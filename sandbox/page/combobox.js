// A field that completes what is typed from a list: the combobox of the ARIA Authoring Practices Guide, with a list
// that never takes the focus away from the field. It lies over everything else, so that nothing moves away under the
// pointer when it closes. Static selects search in what they hold, external ones ask the app.

import { announce } from "./announce.js";
import { el, fill, icon, newId } from "./dom.js";
import { textNodes } from "./text.js";

const PAUSE_MS = 160;
const GAP_PX = 4;
const LEAST_ROOM_PX = 180;

export class Combobox {
  #found = [];
  #active = -1;
  #ticket = 0;
  #timer = null;
  #typed = false;

  /**
   * `load(text, typed)` resolves to `{groups: [{label, options}], say}`: what fits, and what to say if nothing does;
   * `changed()`: something else is picked now.
   */
  constructor({ id, name, placeholder, many = false, most = Infinity, picked = [], attributes = {}, wait = 0, load, changed }) {
    Object.assign(this, { name, many, most, picked, wait, load, changed });
    const listId = newId("choices");
    this.field = el("input", {
      ...attributes,
      id,
      type: "text",
      role: "combobox",
      class: "field-input",
      placeholder,
      autocomplete: "off",
      autocapitalize: "off",
      spellcheck: "false",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-controls": listId,
    });
    this.list = el("div", { role: "listbox", id: listId, class: "choices-list", "aria-label": name, "aria-multiselectable": many || null });
    this.said = el("p", { class: "choices-said", hidden: true });
    this.panel = el("div", { class: "choices-panel", popover: "manual" }, this.list, this.said);
    this.chips = el("div", { class: "chips", hidden: !many });
    const arrow = el("span", { class: "combobox-arrow", "aria-hidden": "true" }, icon("down"));
    this.node = el("div", { class: "combobox" }, this.chips, el("div", { class: "combobox-line" }, this.field, arrow), this.panel);
    this.field.addEventListener("input", () => this.#search());
    this.field.addEventListener("click", () => this.#open());
    this.field.addEventListener("keydown", (event) => this.#key(event));
    arrow.addEventListener("click", () => this.field.focus() ?? this.#open());
    this.node.addEventListener("focusout", (event) => {
      if (!this.node.contains(event.relatedTarget)) this.#leave();
    });
    this.move = () => this.#place();
    this.#show();
  }

  /** Take on what is picked, as options. */
  pick(options) {
    this.picked = options;
    this.#show();
  }

  #show() {
    this.#typed = false;
    this.field.value = this.many ? "" : (this.picked[0]?.text.text ?? "");
    fill(this.chips, ...this.picked.map((option) => this.#chip(option)));
    this.chips.hidden = !this.many || this.picked.length === 0;
  }

  #chip(option) {
    const remove = el("button", { type: "button", class: "chip", "aria-label": `Remove ${option.text.text}` }, ...textNodes(option.text), icon("close"));
    remove.addEventListener("click", () => {
      this.#set(this.picked.filter((one) => one.value !== option.value));
      this.field.focus();
    });
    return remove;
  }

  #set(options) {
    const before = this.picked.map((one) => one.value).join("\n");
    this.pick(options);
    if (before !== options.map((one) => one.value).join("\n")) this.changed?.();
  }

  // --- the list ------------------------------------------------------------------------------------------

  #search() {
    this.#typed = true;
    clearTimeout(this.#timer);
    this.#ticket += 1; // an answer to what was typed before is of no use any more
    this.#timer = setTimeout(() => this.#ask(), this.wait ? PAUSE_MS : 0);
    if (!this.isOpen) this.#draw({ groups: [], say: "Searching…" });
  }

  get isOpen() {
    return this.field.getAttribute("aria-expanded") === "true";
  }

  #open() {
    if (!this.isOpen) this.#ask();
  }

  async #ask() {
    this.#ticket += 1;
    const ticket = this.#ticket;
    if (this.wait) this.#draw({ groups: [], say: "Searching…" });
    const found = await this.load(this.#typed ? this.field.value : "", this.#typed);
    if (ticket !== this.#ticket || !this.node.contains(document.activeElement)) return;
    this.#draw(found);
    announce(found.say ?? `${this.#found.length} ${this.#found.length === 1 ? "result" : "results"}`);
  }

  #draw({ groups, say = null }) {
    this.#found = groups.flatMap((group) => group.options);
    let place = 0;
    const drawn = groups.map((group) => {
      const options = group.options.map((option) => this.#option(option, place++));
      if (!group.label) return options;
      const id = newId("group");
      return el("div", { role: "group", "aria-labelledby": id }, el("p", { class: "choices-group", id, role: "presentation" }, group.label), ...options);
    });
    fill(this.list, ...drawn.flat());
    this.list.hidden = this.#found.length === 0;
    this.said.textContent = say ?? "";
    this.said.hidden = say === null;
    if (!this.isOpen) {
      this.field.setAttribute("aria-expanded", "true");
      this.panel.showPopover();
      addEventListener("scroll", this.move, true);
      addEventListener("resize", this.move);
    }
    this.#place();
    const current = this.#typed ? 0 : this.#found.findIndex((option) => this.#isPicked(option));
    this.#mark(this.#found.length ? current : -1);
  }

  /** Put the list below its field, or above it where there is more room. */
  #place() {
    if (!this.field.isConnected) {
      this.#close();
      return;
    }
    const { left, top, bottom, width } = this.field.getBoundingClientRect();
    const below = innerHeight - bottom - 2 * GAP_PX;
    const above = top - 2 * GAP_PX;
    const isAbove = below < LEAST_ROOM_PX && above > below;
    const { style } = this.panel;
    style.left = `${left}px`;
    style.width = `${width}px`;
    style.maxHeight = `${isAbove ? above : below}px`;
    style.top = isAbove ? "auto" : `${bottom + GAP_PX}px`;
    style.bottom = isAbove ? `${innerHeight - top + GAP_PX}px` : "auto";
  }

  #option(option, index) {
    const node = el(
      "div",
      { role: "option", id: newId("choice"), class: "choice", "aria-selected": String(this.#isPicked(option)) },
      el("span", { class: "choice-text" }, ...textNodes(option.text)),
      option.description ? el("span", { class: "choice-more" }, ...textNodes(option.description)) : null,
    );
    node.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
    node.addEventListener("click", () => this.#take(index));
    return node;
  }

  #isPicked(option) {
    return this.picked.some((one) => one.value === option.value);
  }

  #mark(index) {
    this.#active = index;
    const nodes = [...this.list.querySelectorAll("[role=option]")];
    nodes.forEach((node, place) => node.classList.toggle("active", place === index));
    if (nodes[index]) {
      this.field.setAttribute("aria-activedescendant", nodes[index].id);
      if (nodes[index].offsetTop < this.list.scrollTop) this.list.scrollTop = nodes[index].offsetTop;
      const bottom = nodes[index].offsetTop + nodes[index].offsetHeight;
      if (bottom > this.list.scrollTop + this.list.clientHeight) this.list.scrollTop = bottom - this.list.clientHeight;
    } else this.field.removeAttribute("aria-activedescendant");
  }

  #close() {
    clearTimeout(this.#timer);
    this.#ticket += 1;
    if (this.isOpen && this.panel.isConnected) this.panel.hidePopover();
    removeEventListener("scroll", this.move, true);
    removeEventListener("resize", this.move);
    this.#found = [];
    this.#active = -1;
    this.field.setAttribute("aria-expanded", "false");
    this.field.removeAttribute("aria-activedescendant");
  }

  #take(index) {
    const option = this.#found[index];
    this.#close();
    if (!this.many) this.#set([option]);
    else if (this.#isPicked(option)) this.#set(this.picked.filter((one) => one.value !== option.value));
    else if (this.picked.length < this.most) this.#set([...this.picked, option]);
    else this.#show();
  }

  /** What is typed and not taken is no choice; an emptied field is one: nothing. */
  #leave() {
    const emptied = !this.many && this.#typed && this.field.value.trim() === "";
    this.#close();
    if (emptied) this.#set([]);
    else this.#show();
  }

  #key(event) {
    if (event.isComposing) return;
    const { isOpen } = this;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!isOpen) this.#open();
      else if (this.#found.length) {
        const step = event.key === "ArrowDown" ? 1 : -1;
        const from = this.#active < 0 && step < 0 ? 0 : this.#active;
        this.#mark((from + step + this.#found.length) % this.#found.length);
      }
    } else if (isOpen && event.key === "Enter") {
      event.preventDefault();
      if (this.#active >= 0) this.#take(this.#active);
    } else if (isOpen && event.key === "Escape") {
      event.preventDefault(); // closes the list and not the modal around it
      event.stopPropagation();
      this.#close();
      this.#show();
    } else if (event.key === "Backspace" && this.many && this.field.value === "" && this.picked.length) {
      this.#set(this.picked.slice(0, -1));
    }
  }
}

/** Find options by what they say, for a list that is all there. */
export function searching(groups) {
  return async (text) => {
    const wanted = text.trim().toLowerCase();
    const fits = (option) => `${option.text.text} ${option.description?.text ?? ""}`.toLowerCase().includes(wanted);
    const found = groups.map((group) => ({ ...group, options: group.options.filter(fits) })).filter((group) => group.options.length);
    return { groups: found, say: found.length ? null : "Nothing fits." };
  };
}
