// The modals that the app has open for me: a stack of dialogs whose pages turn in place.

import { announce } from "./announce.js";
import { addressOf, drawBlocks } from "./blocks.js";
import { focusIn, troubleOf } from "./conversation.js";
import { el, fill, icon, newId } from "./dom.js";
import { focusOnWrong, keptIn, retype, typedIn } from "./inputs.js";
import { drawPayload } from "./inspector.js";

export class Modals {
  #open = [];

  /**
   * `press(view, address, value, values)`: an element was used; `suggest(view, address, text)`; `submit(view, values)`;
   * `closed(view, opener)`: the person closed it.
   */
  constructor({ press, suggest, submit, closed }) {
    this.press = press;
    this.suggest = suggest;
    this.submit = submit;
    this.closed = closed;
  }

  /** Make the dialogs what the person's stack of views is: root first. */
  show(model, views) {
    while (this.#open.length && !views.some((view) => view.id === this.#open.at(-1).view.id)) this.#pop();
    for (const view of views) {
      const known = this.#open.find((one) => one.view.id === view.id);
      if (known === undefined) this.#push(model, view);
      else if (known.view.hash !== view.hash) this.#turn(known, model, view);
      else if (JSON.stringify(known.view.errors) !== JSON.stringify(view.errors)) {
        this.#write(known, model, view);
        focusOnWrong(known.body); // whichever comes first, this or the answer
      }
    }
    this.#cover();
  }

  /** Let only the uppermost be seen. */
  #cover() {
    this.#open.forEach((one, place) => one.dialog.classList.toggle("covered", place < this.#open.length - 1));
  }

  #push(model, view) {
    const titleId = newId("title");
    const dialog = el("dialog", { class: "modal", "aria-labelledby": titleId });
    const body = el("div", { class: "modal-body", tabindex: "0", autofocus: true });
    const title = el("h2", { id: titleId });
    const below = this.#open.at(-1);
    const back = below ? trail(below.view) : null;
    const payload = el("button", { type: "button", class: "tool", "aria-expanded": "false" }, icon("code"), "Payload");
    const close = el("button", { type: "button", class: "button", value: "close" });
    const submit = el("button", { type: "button", class: "button primary" });
    const inspected = el("div", { class: "modal-payload", hidden: true });
    fill(
      dialog,
      el("header", { class: "modal-header" }, back, title),
      body,
      inspected,
      el("footer", { class: "modal-footer" }, payload, close, submit),
    );
    const one = { view, dialog, body, title, close, submit, inspected, payload, opener: openerOf(document.activeElement) };
    this.#open.push(one);
    close.addEventListener("click", () => this.#close(one));
    dialog.addEventListener("cancel", () => this.#uncover(one)); // Escape; the browser closes it next
    back?.addEventListener("click", () => this.#close(one));
    submit.addEventListener("click", () => this.#submitted(one));
    payload.addEventListener("click", () => this.#inspect(one, model));
    body.addEventListener("keydown", (event) => {
      const isLine = event.target.matches("input[type=text]:not([role=combobox])");
      if (event.key !== "Enter" || event.defaultPrevented || event.isComposing || submit.hidden) return;
      if (isLine || event.ctrlKey || event.metaKey) submit.click();
    });
    dialog.addEventListener("close", () => this.#wasClosed(one));
    document.body.append(dialog);
    this.#write(one, model, view);
    dialog.showModal();
    this.#focusFirst(one);
  }

  #focusFirst({ view, body }) {
    const place = view.blocks.findIndex((block) => elementsOf(block).some((element) => element.focus_on_load));
    const field = place < 0 ? null : body.querySelector(`[data-block="${place}"] :is(input, textarea)`);
    (field ?? body).focus({ preventScroll: true });
  }

  #turn(one, model, view) {
    const refocus = focusIn(one.body);
    this.#write(one, model, view);
    one.body.scrollTop = 0;
    if (!refocus?.(one.body)) one.body.focus({ preventScroll: true });
    announce(`${view.title.text}: ${pageOf(view)}`);
  }

  #write(one, model, view) {
    const kept = keptIn(one.body);
    one.view = view;
    one.title.textContent = view.title.text;
    one.close.textContent = view.close?.text ?? "Close";
    const drawn = drawBlocks(view.blocks, {
      names: model.names,
      heading: "h3",
      errors: view.errors,
      values: view.state.values,
      press: async (block, element, value) =>
        troubleOf(await this.press(one.view, addressOf(view.blocks, block, element), value, typedIn(one.body))),
      suggest: async (block, element, text) => {
        const answer = await this.suggest(one.view, addressOf(view.blocks, block, element).action, text);
        return { ...answer, say: troubleOf(answer) };
      },
    });
    one.submit.hidden = !view.submit;
    one.submit.textContent = view.submit?.text ?? "";
    fill(one.body, ...drawn);
    retype(one.body, kept);
    if (!one.inspected.hidden) this.#describe(one, model);
  }

  async #submitted(one) {
    const result = await this.submit(one.view, typedIn(one.body));
    const trouble = result.errors ? null : (result.shown ?? troubleOf(result));
    one.body.querySelectorAll(".trouble.of-modal").forEach((old) => old.remove());
    if (trouble) one.body.prepend(el("p", { class: "trouble of-modal", role: "alert" }, trouble));
    focusOnWrong(one.body);
  }

  #inspect(one, model) {
    one.inspected.hidden = !one.inspected.hidden;
    one.body.hidden = !one.inspected.hidden;
    one.payload.setAttribute("aria-expanded", String(!one.inspected.hidden));
    if (!one.inspected.hidden) this.#describe(one, model);
  }

  #describe(one, model) {
    const { view } = one;
    const { type, title, close, blocks, callback_id: callback, private_metadata: metadata } = view;
    const json = { type, callback_id: callback, title, close, private_metadata: metadata, blocks };
    const limits = { blocks: model.limits.modal_blocks, size: model.limits.modal_bytes, unit: "bytes" };
    drawPayload(one.inspected, { json, problems: view.problems, blocks, limits, measured: json });
  }

  #close(one) {
    this.#uncover(one);
    one.dialog.close();
  }

  /** Bring out what is below before a modal goes: a focus cannot return to what cannot be seen. */
  #uncover(one) {
    this.#open[this.#open.indexOf(one) - 1]?.dialog.classList.remove("covered");
  }

  #wasClosed(one) {
    const place = this.#open.indexOf(one);
    if (place < 0) return;
    this.#open.splice(place, 1);
    one.dialog.remove();
    this.#cover();
    this.closed(one.view, one.opener);
  }

  #pop() {
    const one = this.#open.at(-1);
    this.#uncover(one);
    this.#open.pop();
    one.dialog.close();
    one.dialog.remove();
  }
}

/** Name the modal below, which closing this one leads back to. */
function trail(below) {
  return el("button", { type: "button", class: "tool trail" }, icon("back"), el("span", { class: "hidden" }, "Back to "), below.title.text);
}

const elementsOf = (block) => [block.element, block.accessory, ...(block.type === "actions" ? block.elements : [])].filter(Boolean);

/** Remember what opened a modal, so that it is found again if its message was redrawn meanwhile. */
function openerOf(node) {
  const { action, value } = node.dataset;
  return { node, ts: node.closest("article")?.dataset.ts, action, value };
}

function pageOf(view) {
  const small = view.blocks.filter((block) => block.type === "context").flatMap((block) => block.elements);
  return small.map((part) => part.text).find((text) => /^Page /.test(text ?? "")) ?? "updated";
}
