// The messages of a channel: each an article that stays where it is when its content changes.

import { drawBlocks, addressOf } from "./blocks.js";
import { clock, day, moment } from "./dates.js";
import { el, fill, icon } from "./dom.js";
import { mrkdwn, spoken } from "./mrkdwn.js";

const NEAR_PX = 120;
const TROUBLES = {
  operation_timeout: "The app did not answer within three seconds (operation_timeout).",
  dispatch_failed: "The app could not be reached, or answered with an error (dispatch_failed).",
};

/** Say what went wrong with a gesture, in a sentence; null if nothing did. */
export function troubleOf(result) {
  if (result.ok) return null;
  return TROUBLES[result.error] ?? result.message ?? `This did not work (${result.error}).`;
}

export class Conversation {
  #articles = new Map();
  #channel = null;
  #held = null;

  /**
   * `press(message, address, value)`: an element was used; `suggest(message, address, text)`; `inspect(message)`;
   * `use(text)`: put into the composer.
   */
  constructor(node, { press, suggest, inspect, use }) {
    this.node = node;
    this.press = press;
    this.suggest = suggest;
    this.inspect = inspect;
    this.use = use;
    this.list = el("div", { class: "messages" });
    this.atEnd = true;
    let size = "";
    const sizeNow = () => `${node.clientWidth} ${node.clientHeight}`;
    node.addEventListener("scroll", () => {
      // What another size moves is not what the person scrolls to.
      if (size === sizeNow()) this.atEnd = this.#isNearEnd();
    });
    // A button that is redrawn between press and release would not be pressed: what comes meanwhile waits.
    node.addEventListener("pointerdown", () => {
      this.#held ??= [];
    });
    for (const ended of ["pointerup", "pointercancel", "blur"]) addEventListener(ended, () => setTimeout(() => this.#release()));
    // Whatever makes the room for messages smaller, whoever reads the newest keeps on seeing it.
    new ResizeObserver(() => {
      size = sizeNow();
      if (this.atEnd) this.#toEnd();
    }).observe(node);
  }

  /** Show a channel: what is already drawn and still right stays as it is. */
  show(model, channel) {
    const moved = this.#channel !== channel.id || this.me !== model.me;
    this.#channel = channel.id;
    this.me = model.me;
    if (moved) this.#articles.clear();
    const here = model.in(channel.id);
    const gone = new Set(this.#articles.keys());
    for (const message of here) {
      gone.delete(message.ts);
      this.#draw(model, message);
    }
    for (const ts of gone) this.#articles.delete(ts);
    const near = moved || this.#isNearEnd();
    this.node.setAttribute("aria-label", `Conversation: ${model.title(channel)}`);
    fill(this.list, ...this.#withDays(here));
    fill(this.node, this.#welcome(model, channel), this.list);
    if (near) this.#toEnd();
  }

  /** Put a new message at the end, or a changed one in its own place. */
  take(model, message) {
    if (this.#held) {
      this.#held.push([model, message]);
      return;
    }
    const isNew = !this.#articles.has(message.ts);
    const near = isNew ? this.#isNearEnd() || message.to === model.me : this.#isNearEnd();
    this.#draw(model, message);
    if (isNew) fill(this.list, ...this.#withDays(model.in(message.channel)));
    if (near) this.#toEnd();
  }

  #release() {
    const held = this.#held ?? [];
    this.#held = null;
    for (const [model, message] of held) {
      if (model.messages.has(message.ts) && message.channel === this.#channel && model.me === this.me) this.take(model, message);
    }
  }

  /** Take a message away. */
  drop(ts) {
    this.#articles.get(ts)?.node.remove();
    this.#articles.delete(ts);
  }

  #isNearEnd() {
    return this.node.scrollHeight - this.node.scrollTop - this.node.clientHeight < NEAR_PX;
  }

  #toEnd() {
    this.node.scrollTop = this.node.scrollHeight;
  }

  #withDays(messages) {
    const nodes = [];
    let last = null;
    for (const message of messages) {
      const today = day(message.ts);
      if (today !== last) nodes.push(el("p", { class: "day" }, el("span", {}, today)));
      last = today;
      nodes.push(this.#articles.get(message.ts).node);
    }
    return nodes;
  }

  #draw(model, message) {
    const known = this.#articles.get(message.ts);
    if (known && known.edits === message.edits) return;
    const article = known ?? { node: el("article", {}), toldText: false };
    this.#articles.set(message.ts, article);
    article.edits = message.edits;
    const focused = known ? focusIn(article.node) : null;
    this.#write(model, message, article);
    focused?.(article.node);
    if (known) restart(article.node, "changed");
  }

  #write(model, message, article) {
    const author = model.users.get(message.user) ?? { id: message.user, real_name: message.user };
    const kind = message.ephemeral ? " ephemeral" : "";
    article.node.className = `message${kind}`;
    article.node.setAttribute("aria-label", `${author.real_name}, ${clock(message.ts)}`);
    article.node.dataset.ts = message.ts;
    fill(
      article.node,
      avatar(model, author),
      el(
        "div",
        { class: "message-main" },
        message.ephemeral ? el("p", { class: "only-you" }, icon("eye"), "Only visible to you") : null,
        message.thread_ts ? el("p", { class: "only-you" }, "In a thread") : null,
        this.#byline(model, message, author),
        el("div", { class: "content" }, ...this.#content(model, message)),
        this.#tools(model, message, article),
      ),
    );
  }

  #byline(model, message, author) {
    const isApp = author.id === model.app.bot_user;
    return el(
      "p",
      { class: "byline" },
      el("span", { class: "author" }, author.real_name),
      isApp ? el("span", { class: "app" }, "App") : null,
      el("time", { datetime: new Date(Number(message.ts) * 1000).toISOString(), title: moment(message.ts) }, clock(message.ts)),
      message.edits > 0 ? el("span", { class: "edited" }, "(edited)") : null,
    );
  }

  #content(model, message) {
    if (message.blocks.length === 0) return [el("p", { class: "text" }, ...mrkdwn(message.text, model.names))];
    return drawBlocks(message.blocks, {
      names: model.names,
      heading: "h2",
      press: async (block, element, value) =>
        troubleOf(await this.press(message, addressOf(message.blocks, block, element), value)),
      suggest: async (block, element, text) => {
        const answer = await this.suggest(message, addressOf(message.blocks, block, element).action, text);
        return { ...answer, say: troubleOf(answer) };
      },
    });
  }

  #tools(model, message, article) {
    const told = el("div");
    const tell = el(
      "button",
      { type: "button", class: "tool", "aria-expanded": String(article.toldText) },
      icon("bell"),
      "Notification text",
    );
    const show = () => {
      const text = el("p", { class: "told" }, spoken(message.text, model.names));
      fill(told, article.toldText ? text : null);
      tell.setAttribute("aria-expanded", String(article.toldText));
    };
    show();
    tell.addEventListener("click", () => {
      article.toldText = !article.toldText;
      show();
      told.scrollIntoView({ block: "nearest" });
    });
    const inspect = el("button", { type: "button", class: "tool" }, icon("code"), "Payload");
    inspect.addEventListener("click", () => this.inspect(message.ts));
    return el("div", { class: "tools" }, el("div", { class: "tool-row" }, tell, inspect), told);
  }

  #welcome(model, channel) {
    const isApp = channel.id === model.botChannel?.id;
    const says = saysOf(channel);
    const isOpen = channel.bot_is_member && !channel.is_archived;
    const starts = isOpen ? model.suggestions.slice(0, 4).map((one) => this.#start(one)) : [];
    return el(
      "section",
      { class: "welcome", "aria-label": "About this conversation" },
      el("h2", {}, isApp ? "You and Fourcheck" : `This is ${channel.kind === "direct" ? "" : "#"}${model.title(channel)}`),
      el("p", {}, says),
      starts.length ? el("p", { class: "starts-label" }, "Start with") : null,
      starts.length ? el("div", { class: "starts" }, ...starts) : null,
    );
  }

  #start(suggestion) {
    return el(
      "button",
      { type: "button", class: "start", on: { click: () => this.use(`/provision ${suggestion.text}`) } },
      el("span", { class: "start-label" }, suggestion.label),
      el("span", { class: "start-name" }, suggestion.name),
    );
  }
}

function saysOf(channel) {
  if (channel.is_archived) return "This channel is archived. What was said stays to be read, and nobody can write here.";
  return channel.bot_is_member
    ? "Type /provision in the field below and send it: a form finds a user or group of Active Directory by name. Or write the distinguished name behind it. Four checks appear here, each with its details."
    : "Fourcheck is not a member here. The command works all the same: try what becomes of its answer.";
}

function avatar(model, author) {
  const isApp = author.id === model.app.bot_user;
  const place = model.people.findIndex((person) => person.id === author.id);
  const shown = isApp ? icon("checks") : initials(author.real_name);
  return el("div", { class: `avatar ${isApp ? "is-app" : `tint-${place < 0 ? "none" : place % 5}`}`, "aria-hidden": "true" }, shown);
}

/** Give the first letters of a name. */
export const initials = (name) =>
  name
    .split(" ")
    .map((word) => word[0])
    .slice(0, 2)
    .join("");

/** Remember which control of a node has the focus; gives a function that puts it back after a redraw. */
export function focusIn(node) {
  const active = document.activeElement;
  if (!node.contains(active) || active === node) return null;
  const { action, value } = active.dataset;
  const field = active.closest("[data-field]")?.dataset.field;
  const label = active.textContent;
  const selection = active.matches("input[type=text], textarea") ? [active.selectionStart, active.selectionEnd] : null;
  return (redrawn) => {
    const all = [...redrawn.querySelectorAll("button, a.button, input, textarea")];
    const isSame = (one) => one.dataset.action === action && one.closest("[data-field]")?.dataset.field === field;
    const same =
      all.find((one) => action && isSame(one) && one.dataset.value === value) ??
      all.find((one) => action && isSame(one) && one.checked) ??
      all.find((one) => selection && action && one.dataset.action === action) ?? // a field that the app has made anew
      all.find((one) => label && one.matches("button") && one.textContent === label);
    same?.focus({ preventScroll: true });
    if (same && selection) same.setSelectionRange(...selection); // cut to what is there
    return same !== undefined;
  };
}

function restart(node, animation) {
  node.classList.remove(animation);
  void node.offsetWidth; // lets the animation begin anew
  node.classList.add(animation);
}
