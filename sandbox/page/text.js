// Text objects: plain text, in which nothing is interpreted but emoji names if asked for, and mrkdwn.

import { breakable, mrkdwn, withEmoji } from "./mrkdwn.js";
import { unknown } from "./unknown.js";

/** Draw a text object. */
export function textNodes(text, names) {
  if (text.type === "mrkdwn") return mrkdwn(text.text, names);
  if (text.type === "plain_text") return text.emoji === false ? breakable(text.text) : withEmoji(text.text);
  return [unknown("text", text)];
}
