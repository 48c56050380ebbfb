// What the room and this page say to each other beside picture and sound: the data channel "medley", JSON both ways (see /docs).
// In: a channel of each session. Out: an event for each message, by its type, and the newest of each. Never: text taken as markup.

export class Talk extends EventTarget {
  #channel;
  #seen = 0;

  /** The newest message of each type since the last `attach`. */
  newest = {};

  /** Opens the channel of a session that has not made its offer yet; gives what ends it: a connection that is closed here tells nobody. */
  attach(connection) {
    if (this.#channel) this.#ended();
    const channel = connection.createDataChannel("medley");
    this.#channel = channel;
    channel.onmessage = ({ data }) => channel === this.#channel && this.#take(data);
    channel.onopen = () => channel === this.#channel && this.#tell("open");
    const end = () => channel === this.#channel && this.#ended();
    channel.onclose = end;
    return end;
  }

  get isOpen() {
    return this.#channel?.readyState === "open";
  }

  /** Calls `act` with each message of a type. */
  on(type, act) {
    this.addEventListener(type, ({ detail }) => act(detail));
  }

  /** Says something to everybody in the room; whether it could be sent. */
  say(text) {
    if (this.isOpen) this.#channel.send(JSON.stringify({ type: "chat", text }));
    return this.isOpen;
  }

  #take(data) {
    const message = parsed(data);
    if (!message) return;
    // A new session is told again what was said: only what is new is passed on.
    if (message.type === "chat") {
      if (message.id <= this.#seen) return;
      this.#seen = message.id;
    }
    if (message.type === "hello" && this.#seen > message.said) this.#seen = 0;
    this.newest[message.type] = message;
    this.#tell(message.type, message);
  }

  #ended() {
    this.#channel = undefined;
    const { hello } = this.newest;
    // What was said stays on the page, and was said by whoever one was.
    this.newest = hello ? { hello } : {};
    this.#tell("ended");
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function parsed(data) {
  try {
    const message = JSON.parse(data);
    return typeof message?.type === "string" ? message : undefined;
  } catch {
    return undefined;
  }
}
