// A WebSocket that comes back: the reconnecting client of many a tutorial, with the rules of fastws' WebSocketClient.
//
// Knows the browser's WebSocket and nothing of chats. Promises: the waits are 1, 2, 4 ... 30 s, each up to half shorter (never
// longer), and start over only after a connection that lasted MIN_UPTIME; "disconnect" comes once for each "connect"; a failed
// attempt is "error" and then "reconnecting"; a message can not fire the events of the connection's life; after close() no
// event comes but a due "disconnect" and "closed".

const LIFE = new Set(["connecting", "connect", "disconnect", "reconnecting", "error", "closed", "message", "*"]);
const DEFAULTS = { base: 1, factor: 2, cap: 30, jitter: 0.5, minUptime: 5, connectTimeout: 10, fatalCloseCodes: [] };

export class WebSocketClient {
  #url;
  #options;
  #ws = null;
  #handlers = {};
  #failures = 0; // since the last connection that was stable
  #timer = null;
  #openedAt = null; // performance.now(); null = not open
  #opened = false; // ever
  #wanted = true;

  constructor(url, options = {}) {
    this.#url = url;
    this.#options = { ...DEFAULTS, ...options };
    queueMicrotask(() => this.#wanted && !this.#ws && this.#connect()); // handlers registered now miss nothing
    globalThis.addEventListener?.("online", () => this.#timer !== null && this.reconnect());
  }

  // True = handed to the connection; false = it is not open, and nothing is kept.
  send(data) {
    if (this.#ws?.readyState !== WebSocket.OPEN) return false;
    this.#ws.send(JSON.stringify(data));
    return true;
  }

  on(event, fn) {
    const handlers = (this.#handlers[event] = this.#handlers[event] || []);
    if (!handlers.includes(fn)) handlers.push(fn);
    return this;
  }

  // Connect anew now: ends an open connection, cuts a wait short, starts a closed client.
  reconnect() {
    this.#wanted = true;
    this.#failures = 0;
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#abandon(1000, "reconnecting");
    if (this.#wanted) this.#connect();
  }

  // No attempt follows.
  close(code = 1000, reason = "") {
    const ended = this.#wanted;
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#abandon(code, reason);
    if (ended) this.#emit("closed", { reason: "user" });
  }

  #connect() {
    this.#emit("connecting", { attempt: this.#failures + 1 });
    if (!this.#wanted || this.#ws) return; // a handler thought otherwise
    const ws = (this.#ws = new WebSocket(this.#url));
    const late = setTimeout(() => ws === this.#ws && this.#lost(1006, "no answer in time"), this.#options.connectTimeout * 1000);
    ws.onopen = () => {
      clearTimeout(late);
      if (ws !== this.#ws) return ws.close();
      this.#openedAt = performance.now();
      const isReconnect = this.#opened;
      this.#opened = true;
      this.#emit("connect", { isReconnect });
    };
    ws.onmessage = (event) => ws === this.#ws && this.#receive(event.data);
    ws.onclose = (event) => {
      clearTimeout(late);
      if (ws === this.#ws) this.#lost(event.code, event.reason);
    };
  }

  #receive(data) {
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return; // no JSON: not for us
    }
    this.#emit("message", message);
    if (typeof message?.type === "string" && !LIFE.has(message.type)) this.#emit(message.type, message);
  }

  #lost(code, reason) {
    const uptime = this.#openedAt === null ? null : (performance.now() - this.#openedAt) / 1000;
    const fatal = this.#options.fatalCloseCodes.includes(code);
    this.#abandon(1000, "", { code, reason });
    if (uptime === null) this.#emit("error", { message: reason || "can not connect" });
    else if (uptime >= this.#options.minUptime) this.#failures = 0;
    if (!this.#wanted || this.#ws) return; // a handler closed or reconnected
    if (fatal) {
      this.#wanted = false;
      return this.#emit("closed", { reason: "fatal", code });
    }
    const { base, factor, cap, jitter } = this.#options;
    const delay = Math.min(cap, base * factor ** this.#failures) * (1 - jitter * Math.random());
    this.#failures += 1;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#connect();
    }, delay * 1000);
    this.#emit("reconnecting", { attempt: this.#failures, delay, at: performance.now() + delay * 1000 });
  }

  // Forget the present connection, and say so if it was open.
  #abandon(code, reason, told = { code, reason }) {
    const ws = this.#ws;
    const wasOpen = this.#openedAt !== null;
    this.#ws = null;
    this.#openedAt = null;
    if (ws && ws.readyState <= WebSocket.OPEN) ws.close(code, reason);
    if (wasOpen) this.#emit("disconnect", told);
  }

  #emit(event, data) {
    for (const fn of [...(this.#handlers[event] || [])]) {
      try {
        fn(data);
      } catch (error) {
        console.error(`a handler of "${event}" failed`, error); // the next one runs all the same
      }
    }
  }
}
