// The page as a whole: one person's view of the workspace, kept up to date.

import { announce } from "./announce.js";
import { Composer } from "./composer.js";
import { Conversation, troubleOf } from "./conversation.js";
import { el } from "./dom.js";
import { Faults } from "./faults.js";
import { Inspector } from "./inspector.js";
import { Modals } from "./modals.js";
import { Model } from "./model.js";
import { spoken } from "./mrkdwn.js";
import { drawHeader, drawSidebar } from "./sidebar.js";
import { Feed, gestures } from "./workspace.js";

const at = (id) => document.getElementById(id);
const HOME = "identity";

class Page {
  constructor() {
    const [, user, channel] = location.hash.split("/");
    this.model = null;
    // Somebody may be faster than the workspace: what they do waits until it is known who they are.
    this.settled = new Promise((resolve) => {
      this.hasSettled = resolve;
    });
    this.here = channel ?? null;
    this.unread = new Set();
    this.conversation = new Conversation(at("conversation"), {
      press: async (message, address, value) => {
        await this.settled;
        return gestures.click(this.model.me, { message: message.ts }, { ...address, ...valued(value) });
      },
      suggest: (message, action, text) => gestures.suggest(this.model.me, { message: message.ts }, action, text),
      inspect: (ts) => this.inspector.toggle(this.model, ts),
      use: (text) => this.composer.use(text),
    });
    this.composer = new Composer(at("composer-place"), (text) => this.#send(text));
    this.inspector = new Inspector(at("inspector"), () => this.faults.close());
    this.faults = new Faults(at("faults"), () => {
      this.#menu(false);
      this.inspector.close();
    });
    this.modals = new Modals({
      press: (view, address, value, values) => gestures.click(this.model.me, { view: view.id }, { ...address, ...valued(value), values }),
      suggest: (view, action, text) => gestures.suggest(this.model.me, { view: view.id }, action, text),
      submit: (view, values) => gestures.submit(this.model.me, view.id, values),
      closed: (view, opener) => this.#closed(view, opener),
    });
    this.feed = new Feed(user ?? null, {
      snapshot: (snapshot) => this.#adopt(snapshot),
      change: (kind, item) => this.#change(kind, item),
      link: (isUp) => this.#link(isUp),
    });
    addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#menu(false);
    });
    addEventListener("pointerdown", (event) => {
      if (!event.target.closest("#sidebar, .menu")) this.#menu(false);
    });
    addEventListener("hashchange", () => location.hash.startsWith("#/") && location.reload());
    document.querySelector(".skip").addEventListener("click", (event) => {
      event.preventDefault();
      this.composer.field.focus();
    });
    this.feed.open();
  }

  // --- what comes in -------------------------------------------------------------------------------------

  #adopt(snapshot) {
    const first = this.model === null;
    const known = this.model?.me === snapshot.user ? this.model : null;
    this.model = new Model(snapshot);
    if (known !== null) this.#markUnread(known);
    else this.unread.clear();
    if (!this.model.channel(this.here)) {
      const wasWithBot = known === null && this.here?.startsWith("D") ? this.model.botChannel : null;
      this.here = (wasWithBot ?? this.model.channels.find((c) => c.name === HOME) ?? this.model.channels[0]).id;
    }
    this.#draw();
    if (first) this.composer.field.focus();
    this.hasSettled();
  }

  #markUnread(known) {
    for (const message of this.model.messages.values()) {
      if (!known.messages.has(message.ts) && message.channel !== this.here) this.unread.add(message.channel);
    }
  }

  #change(kind, item) {
    const { model } = this;
    this.faults.update();
    if (kind === "message" && model.sees(item)) this.#message(item);
    if (kind === "deleted") {
      model.messages.delete(item.ts);
      this.conversation.drop(item.ts);
      this.inspector.update(model);
    }
    if (kind === "views" && item.user === model.me) {
      model.views = item.views;
      this.modals.show(model, item.views);
    }
    if (kind === "refused") this.#refused(item);
  }

  #message(message) {
    const isNew = this.model.keep(message);
    if (isNew === null) return;
    if (message.channel === this.here) {
      this.conversation.take(this.model, message);
      if (message.user !== this.model.me) announce(spoken(message.text, this.model.names));
    } else if (isNew) {
      this.unread.add(message.channel);
      this.#drawSidebar();
    }
    this.inspector.update(this.model);
  }

  #refused({ method, error, problems }) {
    const faults = problems.filter((problem) => problem.verdict === "slack");
    if (faults.length === 0) return;
    const said = faults.slice(0, 3).map(({ pointer, message }) => el("li", {}, el("code", {}, pointer), ` ${message}`));
    const close = el("button", { type: "button", class: "tool" }, "Dismiss");
    const notice = el(
      "div",
      { class: "unknown", role: "alert" },
      el("strong", {}, `Slack would refuse this ${method}: ${error}`),
      el("ul", {}, ...said),
      close,
    );
    close.addEventListener("click", () => notice.remove());
    at("notices").append(notice);
  }

  #link(isUp) {
    document.documentElement.classList.toggle("offline", !isUp);
    const shown = at("offline");
    if (isUp) shown?.remove();
    else if (!shown) at("notices").append(el("p", { id: "offline", role: "status" }, "The connection is gone. Trying again…"));
  }

  // --- what goes out -------------------------------------------------------------------------------------

  async #send(text) {
    await this.settled;
    const { me, app } = this.model;
    if (!text.startsWith("/")) return troubleOf(await gestures.say(me, this.here, text));
    const [name, rest] = split(text);
    if (!app.commands.some((one) => one.command === name)) {
      return `${name} is not a command here. There is ${app.commands.map((one) => one.command).join(", ")}.`;
    }
    const result = await gestures.command(me, this.here, name, rest);
    // What Slack itself says of a command that failed stands in the channel already.
    return ["operation_timeout", "dispatch_failed"].includes(result.error) ? null : troubleOf(result);
  }

  async #closed(view, opener) {
    this.model.views = this.model.views.filter((one) => one.id !== view.id);
    if (document.activeElement === document.body) this.#refocus(opener);
    const result = await gestures.close(this.model.me, view.id);
    if (!result.ok) this.feed.refresh();
  }

  /** Go back to what opened a modal, or to what stands in its place now. */
  #refocus({ ts, action, value }) {
    const buttons = [...document.querySelectorAll(`article[data-ts="${ts}"] [data-action]`)];
    const same = buttons.find((one) => one.dataset.action === action && one.dataset.value === value);
    (same ?? this.composer.field).focus({ preventScroll: true });
  }

  async #reset() {
    at("notices").replaceChildren();
    this.unread.clear();
    const result = await gestures.reset();
    announce(result.ok ? "Everything is as it was at the beginning." : troubleOf(result));
    this.faults.update();
    this.composer.field.focus();
  }

  // --- what is shown -------------------------------------------------------------------------------------

  #draw() {
    const { model } = this;
    const channel = model.channel(this.here);
    this.unread.delete(this.here);
    history.replaceState(null, "", `#/${model.me}/${this.here}`);
    document.title = `${channel.kind === "direct" ? "" : "#"}${model.title(channel)} – ${model.team.name} – Fourcheck`;
    this.#drawSidebar();
    drawHeader(at("channel-header"), model, channel, () => this.#menu());
    this.conversation.show(model, channel);
    this.composer.show(model, channel);
    this.inspector.update(model);
    this.modals.show(model, model.views);
  }

  #drawSidebar() {
    drawSidebar(at("sidebar"), this, {
      become: (user) => {
        this.settled = this.feed.become(user);
      },
      go: (channel) => this.#go(channel),
      faults: () => this.faults.toggle(),
      reset: () => this.#reset(),
    });
  }

  #go(channel) {
    this.here = channel;
    this.#menu(false);
    this.#draw();
    this.composer.field.focus({ preventScroll: true });
  }

  /** Show or hide the sidebar where the window is too narrow for it to stay. */
  #menu(open = !document.documentElement.classList.contains("menu-open")) {
    const { classList } = document.documentElement;
    if (classList.contains("menu-open") === open) return;
    classList.toggle("menu-open", open);
    const button = document.querySelector("#channel-header .menu");
    button.setAttribute("aria-expanded", String(open));
    (open ? document.querySelector("#sidebar :checked") : button).focus();
  }
}

/** A choice goes along with the address of what was used; a button's own value is in the address already. */
const valued = (value) => (value === undefined ? {} : { value });

function split(text) {
  const [, name, rest] = /^(\S+)\s*([\s\S]*)$/.exec(text);
  return [name, rest];
}

new Page();
