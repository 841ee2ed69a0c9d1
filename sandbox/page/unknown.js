// What this page cannot draw it says loudly: a silent gap would hide that a message does not arrive as meant.

import { el } from "./dom.js";

/** Say that a thing of this type cannot be shown. */
export function unknown(what, thing) {
  const type = typeof thing?.type === "string" ? thing.type : JSON.stringify(thing);
  return el(
    "div",
    { class: "unknown", role: "alert" },
    el("strong", {}, `Unknown ${what} “${type}”`),
    el("span", {}, "This page draws only what the bot is meant to send. In Slack this may look right, or be refused."),
  );
}
