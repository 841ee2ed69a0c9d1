// Dates as each reader's own clock shows them (Slack, page "Formatting message text", date formatting).

const DAY_MS = 86_400_000;

const startOfDay = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();

function relativeDay(date, now) {
  const days = Math.round((startOfDay(date) - startOfDay(now)) / DAY_MS);
  return { "-1": "yesterday", 0: "today", 1: "tomorrow" }[days];
}

const written = (date, options) => new Intl.DateTimeFormat(undefined, options).format(date);

const LONG = { weekday: "long", year: "numeric", month: "long", day: "numeric" };
const MIDDLE = { year: "numeric", month: "long", day: "numeric" };
const SHORT = { year: "numeric", month: "short", day: "numeric" };

const TOKENS = {
  date_num: (date) => written(date, { year: "numeric", month: "2-digit", day: "2-digit" }),
  date: (date) => written(date, MIDDLE),
  date_short: (date) => written(date, SHORT),
  date_long: (date) => written(date, LONG),
  date_pretty: (date, now) => relativeDay(date, now) ?? written(date, MIDDLE),
  date_short_pretty: (date, now) => relativeDay(date, now) ?? written(date, SHORT),
  date_long_pretty: (date, now) => relativeDay(date, now) ?? written(date, LONG),
  time: (date) => written(date, { hour: "2-digit", minute: "2-digit" }),
  time_secs: (date) => written(date, { hour: "2-digit", minute: "2-digit", second: "2-digit" }),
};

/** Write a time in seconds by a format with tokens such as `{date_short_pretty} {time}`; null: unknown token. */
export function formatDate(seconds, format, now = new Date()) {
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) return null;
  const names = [...format.matchAll(/\{([a-z_]+)\}/g)].map((match) => match[1]);
  if (names.some((name) => !Object.hasOwn(TOKENS, name))) return null;
  return format.replace(/\{([a-z_]+)\}/g, (_, name) => TOKENS[name](date, now));
}

/** Write a message's time of day. */
export const clock = (ts) => TOKENS.time(new Date(Number(ts) * 1000));

/** Write a message's time in full, for a tooltip and for screen readers. */
export const moment = (ts) => {
  const date = new Date(Number(ts) * 1000);
  return `${written(date, LONG)}, ${TOKENS.time_secs(date)}`;
};

/** Name the day of a message for the line between days. */
export function day(ts, now = new Date()) {
  const date = new Date(Number(ts) * 1000);
  const near = relativeDay(date, now);
  return near ? near[0].toUpperCase() + near.slice(1) : written(date, LONG);
}
