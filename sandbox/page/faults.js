// The panel at the right that makes things go wrong on purpose: at Slack, in Entra, in the directory.

import { announce } from "./announce.js";
import { el, fill, icon, newId } from "./dom.js";
import { switchboard } from "./workspace.js";

const PAUSE_MS = 200;

export class Faults {
  #timer = null;
  #ticket = 0;

  /** `opened()`: the panel was opened; another one makes room. */
  constructor(node, opened) {
    this.node = node;
    this.opened = opened;
    this.body = el("div", { class: "panel-body" });
    const close = el("button", { type: "button", class: "tool", on: { click: () => this.close() } }, icon("close"), el("span", { class: "hidden" }, "Close faults"));
    fill(node, el("header", {}, el("h2", {}, "Faults"), close), this.body);
    node.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
    this.closeButton = close;
  }

  /** Show the panel, or close it if it is open. */
  async toggle() {
    if (!this.node.hidden) {
      this.close();
      return;
    }
    const opener = document.activeElement;
    this.node.hidden = false; // before the other panel goes: what stands beside them keeps its width
    this.opened();
    this.opener = opener;
    this.closeButton.focus({ preventScroll: true });
    this.#take(await switchboard.look());
  }

  close() {
    if (this.node.hidden) return;
    this.node.hidden = true;
    const opener = this.opener?.isConnected ? this.opener : document.getElementById("faults-button");
    opener?.focus({ preventScroll: true });
  }

  /** Look again soon: something happened that may have used a fault up. */
  update() {
    if (this.node.hidden) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), PAUSE_MS);
  }

  async #look() {
    this.#ticket += 1;
    const ticket = this.#ticket;
    const told = await switchboard.look();
    if (ticket === this.#ticket) this.#take(told);
  }

  async #change(asked, said) {
    this.#ticket += 1; // an older look would show what was before
    const told = await asked;
    if (told.boards) announce(said);
    this.#take(told);
  }

  #take(told) {
    const focused = this.body.contains(document.activeElement) ? document.activeElement.id : null;
    const top = this.body.scrollTop;
    if (!told.boards) {
      this.body.prepend(el("p", { class: "trouble", role: "alert" }, told.message ?? told.error));
      return;
    }
    const count = told.boards.reduce((sum, board) => sum + board.active.length, 0);
    const off = el("button", { type: "button", class: "button", id: "faults-off" }, "Switch all off");
    off.addEventListener("click", () => this.#change(switchboard.off(), "Everything works again."));
    fill(
      this.body,
      el("p", {}, "Switch something on, then provision someone: see what the bot says, what it tries again, and what it never does twice."),
      el("p", { class: "faults-count" }, off, el("span", { role: "status" }, count ? `${count} on` : "Everything works.")),
      ...told.boards.map((board) => this.#board(board)),
    );
    this.body.scrollTop = top;
    if (focused) (document.getElementById(focused) ?? off).focus({ preventScroll: true });
  }

  #board({ board, title, choices, active, reachable }) {
    const id = newId("board");
    const rows = choices.map((choice) => this.#row(board, choice, active.filter((one) => one.choice === choice.choice)));
    const others = active.filter((one) => !choices.some((choice) => choice.choice === one.choice));
    return el(
      "section",
      { class: "board", "aria-labelledby": id },
      el("h3", { id }, title),
      reachable ? null : el("p", { class: "trouble" }, "It does not answer."),
      el("ul", {}, ...rows, ...others.map((one) => el("li", { class: "fault" }, el("p", {}, one.label), el("p", { class: "fault-on" }, left(one.times))))),
    );
  }

  #row(board, { choice, label, description }, active) {
    const id = `fault-${board}-${choice}`;
    const on = el("button", { type: "button", class: "button", id, "aria-label": `Switch on: ${label}`, "aria-describedby": `${id}-says` }, "Switch on");
    on.addEventListener("click", () => this.#change(switchboard.on(board, choice), `${label}: on`));
    const times = active.some((one) => one.times === null) ? null : active.reduce((sum, one) => sum + one.times, 0);
    return el(
      "li",
      { class: `fault${active.length ? " is-on" : ""}` },
      el(
        "div",
        { class: "fault-text" },
        el("p", { class: "fault-label" }, label),
        el("p", { class: "fault-says", id: `${id}-says` }, description),
      ),
      active.length ? el("p", { class: "fault-on" }, left(times)) : on,
    );
  }
}

const left = (times) => (times === null ? "On" : `On · ${times} left`);
