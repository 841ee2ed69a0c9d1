// The left side: the team, who one is, where one is, and the way back to the beginning.

import { el, fill, icon } from "./dom.js";
import { initials } from "./conversation.js";

/**
 * Draw the sidebar.
 *
 * `state`: model, here (channel id), unread (ids). `on`: become(user), go(channel), faults(), reset().
 */
export function drawSidebar(node, { model, here, unread }, on) {
  const rooms = model.channels.filter((channel) => channel.kind !== "direct");
  rooms.sort((a, b) => Number(a.is_archived) - Number(b.is_archived));
  const directs = model.channels.filter((channel) => channel.kind === "direct");
  directs.sort((a, b) => Number(b.bot_is_member) - Number(a.bot_is_member));
  const link = (channel) => room(model, channel, { here, unread }, on);
  const active = node.contains(document.activeElement) ? document.activeElement.id : "";
  fill(
    node,
    el("h1", { class: "team" }, el("span", { class: "team-name" }, model.team.name), " ", el("span", { class: "team-kind" }, "workspace")),
    people(model, on),
    list("Channels", rooms.map(link)),
    list("Direct messages", directs.map(link)),
    foot(on),
  );
  if (active) document.getElementById(active)?.focus({ preventScroll: true });
}

function people(model, on) {
  const choices = model.people.map((person, index) =>
    el(
      "label",
      { class: "person" },
      el("input", {
        type: "radio",
        name: "you",
        id: `you-${person.id}`,
        value: person.id,
        checked: person.id === model.me,
        on: { change: () => on.become(person.id) },
      }),
      el("span", { class: `avatar tint-${index % 5}`, "aria-hidden": "true" }, initials(person.real_name)),
      el("span", { class: "person-text" }, el("span", { class: "person-name" }, person.real_name), " ", el("span", { class: "person-role" }, person.title)),
    ),
  );
  return el("fieldset", { class: "people" }, el("legend", {}, "You are"), ...choices);
}

function list(title, rooms) {
  return el("section", { class: "rooms" }, el("h2", {}, title), el("ul", {}, ...rooms.map((one) => el("li", {}, one))));
}

function room(model, channel, { here, unread }, on) {
  const isUnread = unread.has(channel.id);
  const sign = channel.is_archived ? icon("box") : ({ private: icon("lock"), public: icon("hash") }[channel.kind] ?? null);
  const isBot = channel.kind === "direct" && channel.bot_is_member;
  const face = el("span", { class: `face${isBot ? " is-app" : ""}`, "aria-hidden": "true" }, isBot ? icon("checks") : initials(model.title(channel)));
  return el(
    "button",
    {
      type: "button",
      class: `room${isUnread ? " unread" : ""}`,
      id: `room-${channel.id}`,
      "aria-current": channel.id === here ? "page" : null,
      on: { click: () => on.go(channel.id) },
    },
    sign ?? face,
    el("span", { class: "room-name" }, model.title(channel)),
    channel.kind === "private" ? el("span", { class: "hidden" }, " (private)") : null,
    channel.is_archived ? el("span", { class: "hidden" }, " (archived)") : null,
    isUnread ? el("span", { class: "hidden" }, " (unread)") : null,
  );
}

function foot(on) {
  const tool = (id, shape, text, run) => el("button", { type: "button", class: "reset", id, on: { click: run } }, icon(shape), text);
  return el(
    "div",
    { class: "sidebar-foot" },
    tool("faults-button", "bolt", "Faults", () => on.faults()),
    el("p", {}, "Let something go wrong and see what becomes of it"),
    tool("reset", "reset", "Reset", () => on.reset()),
    el("p", {}, "Workspace, tenant and directory as they were"),
  );
}

/** Draw the line above the conversation. */
export function drawHeader(node, model, channel, toggle) {
  const menu = el(
    "button",
    { type: "button", class: "menu", "aria-expanded": "false", "aria-controls": "sidebar", on: { click: toggle } },
    icon("menu"),
    el("span", { class: "hidden" }, "Workspace menu"),
  );
  const sign = { private: icon("lock"), public: icon("hash") }[channel.kind];
  const who = channel.kind === "direct" ? null : `${channel.members.length} members`;
  const bot = channel.bot_is_member ? "with Fourcheck" : "without Fourcheck";
  const archived = channel.is_archived ? "archived" : null;
  fill(
    node,
    menu,
    el("p", { class: "channel-title" }, sign, model.title(channel)),
    el("p", { class: "channel-about" }, [channel.kind, archived, who, bot].filter(Boolean).join(" · ")),
  );
}
