// The overflow menu: a button with three dots, and the menu that it opens.

import { el, icon, newId } from "./dom.js";
import { textNodes } from "./text.js";

/** Draw an overflow element; `taken(value)`: an entry was chosen. */
export function overflow(element, taken) {
  const id = newId("menu");
  const button = el(
    "button",
    { type: "button", class: "button dots", "aria-haspopup": "menu", "aria-expanded": "false", "aria-controls": id, "data-action": element.action_id },
    icon("dots"),
    el("span", { class: "hidden" }, "More actions"),
  );
  const items = element.options.map((option) => el("button", { type: "button", class: "menu-item", role: "menuitem", tabindex: "-1" }, ...textNodes(option.text)));
  const menu = el("div", { class: "menu-list", role: "menu", id, "aria-label": "More actions", hidden: true }, ...items);
  const node = el("div", { class: "overflow" }, button, menu);

  const show = (place) => {
    menu.hidden = false;
    button.setAttribute("aria-expanded", "true");
    items.at(place).focus();
  };
  const hide = (refocus) => {
    if (menu.hidden) return;
    menu.hidden = true;
    button.setAttribute("aria-expanded", "false");
    if (refocus) button.focus();
  };
  button.addEventListener("click", () => (menu.hidden ? show(0) : hide(true)));
  button.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    show(event.key === "ArrowDown" ? 0 : -1);
  });
  items.forEach((item, index) =>
    item.addEventListener("click", () => {
      hide(true);
      taken(element.options[index].value);
    }),
  );
  menu.addEventListener("keydown", (event) => {
    const here = items.indexOf(document.activeElement);
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: -1 }[event.key];
    if (to !== undefined) items.at(to % items.length).focus();
    else if (event.key === "Escape") hide(true);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  node.addEventListener("focusout", (event) => {
    if (!node.contains(event.relatedTarget)) hide(false);
  });
  return { node, button };
}
