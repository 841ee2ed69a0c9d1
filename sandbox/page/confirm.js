// The question that an element may ask before it does anything.

import { el, newId } from "./dom.js";
import { textNodes } from "./text.js";

/** Ask; resolves to whether the person said yes. Escape is no, and the way back is to where the person was. */
export function ask(question, names) {
  const titleId = newId("question");
  const deny = el("button", { type: "button", class: "button", autofocus: true }, ...textNodes(question.deny));
  const style = question.style === "danger" ? "danger" : "primary";
  const agree = el("button", { type: "button", class: `button ${style}` }, ...textNodes(question.confirm));
  const dialog = el(
    "dialog",
    { class: "modal question", role: "alertdialog", "aria-labelledby": titleId, "aria-describedby": `${titleId}-text` },
    el("header", { class: "modal-header" }, el("h2", { id: titleId }, ...textNodes(question.title))),
    el("div", { class: "modal-body" }, el("p", { class: "text", id: `${titleId}-text` }, ...textNodes(question.text, names))),
    el("footer", { class: "modal-footer" }, deny, agree),
  );
  return new Promise((resolve) => {
    deny.addEventListener("click", () => dialog.close("no"));
    agree.addEventListener("click", () => dialog.close("yes"));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
