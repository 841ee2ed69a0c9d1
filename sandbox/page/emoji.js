// The emoji that messages of this product name, and a few that people type. An unknown name stays as it is.

const EMOJI = {
  white_check_mark: "✅",
  heavy_check_mark: "✔️",
  x: "❌",
  warning: "⚠️",
  fast_forward: "⏩",
  white_circle: "⚪",
  hourglass_flowing_sand: "⏳",
  hourglass: "⌛",
  information_source: "ℹ️",
  lock: "🔒",
  no_entry: "⛔",
  eyes: "👀",
  wave: "👋",
  "+1": "👍",
  thumbsup: "👍",
  tada: "🎉",
  rocket: "🚀",
};

/** Give the character for a short name, or undefined. */
export const emoji = (name) => (Object.hasOwn(EMOJI, name) ? EMOJI[name] : undefined);
