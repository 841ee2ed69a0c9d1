// What the page knows of the workspace, and the two ways it hears of it: a snapshot, and the changes after it.

const KINDS = ["message", "deleted", "views", "channel", "reset", "refused"];
const RETRY_MS = [250, 500, 1000, 2000, 4000];

const post = (path, body) =>
  ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

async function ask(path, how) {
  try {
    const response = await fetch(`/_sandbox/${path}`, how);
    return await response.json();
  } catch {
    return { ok: false, error: "no_connection", message: "The sandbox does not answer. Is the demo still running?" };
  }
}

/** The gestures of a person; each resolves to `{ok, error, message}` and whatever came of it. */
export const gestures = {
  command: (user, channel, command, text) => post("command", { user, channel, command, text }),
  say: (user, channel, text) => post("say", { user, channel, text }),
  suggest: (user, where, action, value) => post("suggest", { user, ...where, action, value }),
  click: (user, where, what) => post("click", { user, ...where, ...what }),
  submit: (user, view, values) => post("submit", { user, view, values }),
  close: (user, view) => post("close", { user, view }),
  reset: () => post("reset", {}),
};

/** What can go wrong, and what is made to; each resolves to `{boards}`, or to `{ok: false, error, message}`. */
export const switchboard = {
  look: () => ask("switchboard"),
  on: (board, choice) => post("switchboard", { board, choice }),
  off: () => ask("switchboard", { method: "DELETE" }),
};

/**
 * Follow the workspace as one person sees it.
 *
 * Every change has a number. A snapshot says which number it holds; changes up to it are dropped, later ones are
 * handed on. So after any interruption nothing is missing and nothing comes twice.
 */
export class Feed {
  #source = null;
  #attempt = 0;
  #ticket = 0;
  #sequence = 0;
  #waiting = null;

  /** `on`: snapshot(snapshot), change(kind, item), link(isUp). */
  constructor(user, on) {
    this.user = user;
    this.on = on;
  }

  /** Open the stream of changes; it opens itself again for as long as the page is there. */
  open() {
    this.#waiting = [];
    const source = new EventSource(`/_sandbox/events?kinds=${KINDS.join(",")}`);
    this.#source = source;
    source.onopen = () => {
      this.#attempt = 0;
      this.refresh();
    };
    source.onerror = () => {
      if (source !== this.#source) return;
      source.close();
      this.#ticket += 1;
      this.on.link(false);
      setTimeout(() => this.open(), RETRY_MS[Math.min(this.#attempt, RETRY_MS.length - 1)]);
      this.#attempt += 1;
    };
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => this.#receive(kind, Number(event.lastEventId), event.data));
    }
  }

  /** Look at the workspace as another person. */
  become(user) {
    this.user = user;
    return this.refresh();
  }

  /** Fetch everything anew; changes that come meanwhile wait for it. */
  async refresh() {
    this.#ticket += 1;
    const ticket = this.#ticket;
    this.#waiting ??= [];
    const snapshot = await this.#fetch();
    if (ticket !== this.#ticket) return;
    if (snapshot === null) {
      this.#source.onerror();
      return;
    }
    this.#sequence = snapshot.sequence;
    this.on.link(true);
    this.on.snapshot(snapshot);
    const waiting = this.#waiting;
    this.#waiting = null;
    for (const [kind, number, data] of waiting) this.#receive(kind, number, data);
  }

  async #fetch() {
    try {
      const whose = this.user ? `?user=${encodeURIComponent(this.user)}` : "";
      const response = await fetch(`/_sandbox/snapshot${whose}`);
      if (response.status === 400 && this.user) {
        this.user = null; // nobody of that name here: the first person there is
        return await this.#fetch();
      }
      return response.ok ? await response.json() : null;
    } catch {
      return null;
    }
  }

  #receive(kind, number, data) {
    if (this.#waiting !== null) {
      this.#waiting.push([kind, number, data]);
      return;
    }
    if (number <= this.#sequence) return;
    this.#sequence = number;
    if (kind === "reset" || kind === "channel") this.refresh();
    else this.on.change(kind, JSON.parse(data));
  }
}
