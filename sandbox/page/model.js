// The page's picture of the workspace for one person, and the questions that the parts of the page ask it.

export class Model {
  constructor(snapshot) {
    this.me = snapshot.user;
    this.team = snapshot.team;
    this.app = snapshot.app;
    this.limits = snapshot.limits;
    this.suggestions = snapshot.suggestions;
    this.users = new Map(snapshot.users.map((user) => [user.id, user]));
    this.users.set("USLACKBOT", { id: "USLACKBOT", real_name: "Slackbot", title: "", is_bot: true });
    this.channels = snapshot.channels.filter((c) => c.members.includes(this.me));
    this.messages = new Map(snapshot.messages.map((message) => [message.ts, message]));
    this.views = snapshot.views;
    this.names = {
      user: (id) => this.users.get(id)?.real_name,
      channel: (id) => this.channels.find((channel) => channel.id === id)?.name,
    };
  }

  /** The people that one can be. */
  get people() {
    return [...this.users.values()].filter((user) => !user.is_bot);
  }

  /** The channel of this id among those that I see. */
  channel(id) {
    return this.channels.find((channel) => channel.id === id);
  }

  /** The direct message between the bot and me. */
  get botChannel() {
    return this.channels.find((channel) => channel.kind === "direct" && channel.bot_is_member);
  }

  /** How a channel is called: a direct message by whom it is with. */
  title(channel) {
    if (channel.kind !== "direct") return channel.name;
    const others = channel.members.filter((id) => id !== this.me).map((id) => this.names.user(id) ?? id);
    return others.join(", ");
  }

  /** Whether I am meant to see a message. */
  sees(message) {
    return (message.to === null || message.to === this.me) && this.channel(message.channel) !== undefined;
  }

  /** Keep a new or changed message; says whether it was new, or null for an old state of it. */
  keep(message) {
    const known = this.messages.get(message.ts);
    if (known && known.edits > message.edits) return null;
    this.messages.set(message.ts, message);
    return known === undefined;
  }

  /** The messages of a channel, oldest first. */
  in(channel) {
    const found = [...this.messages.values()].filter((message) => message.channel === channel);
    return found.sort((a, b) => Number(a.ts) - Number(b.ts));
  }
}
