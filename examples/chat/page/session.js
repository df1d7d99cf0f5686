// A person in a room, without a face: the browser's twin of session.py, over client.js.
//
// Knows the protocol; touches no element. `view()` has the shape of view.py, so face.js draws either. Promises as there: own
// messages are delivered once and in order, those of the room are seen once and in order. What has no receipt yet, and who we
// are, is kept for a reload of this tab.

import { WebSocketClient } from "./client.js";
import { freshId, message } from "./message.js";

const VERSION = 1;
const REPLACED = 4001;
const TYPING_STOPS = 3000; // ms without a key
const TYPING_AGAIN = 2000; // ms after which the server is told once more
const ALIVE_EVERY = 20000; // ms of silence after which we ask whether anybody is there
const ALIVE_WITHIN = 10000;
const KEPT = 2000; // lines

export class Session {
  #ws;
  #changed;
  #kept; // { get, set }: what survives a reload
  #client;
  #log = "";
  #said = [];
  #waiting = [];
  #inFlight = null;
  #joined = false;
  #asked = false;
  #looking = true;
  #typingTold = null;
  #timers = {};
  #limits = { name: 32, text: 4000, lines: 100 };
  #link = { state: "connecting", trouble: "", code: "", attempt: 0, at: null, was_online: false };
  #view = { more: false, people: [], typing: [], unread: 0, unread_from: null };

  constructor(url, { room, name, changed, kept = { get: () => null, set: () => {} }, reconnect = {} }) {
    this.room = room;
    this.name = name;
    this.#changed = changed;
    this.#kept = kept;
    const before = kept.get() || {};
    this.#client = before.client || freshId();
    this.#waiting = before.room === room && Array.isArray(before.waiting) ? before.waiting : [];
    this.#keep();
    this.#ws = new WebSocketClient(url, { fatalCloseCodes: [REPLACED], ...reconnect });
    this.#ws
      .on("connecting", ({ attempt }) => this.#setLink({ state: "connecting", attempt }))
      .on("connect", () => this.#join())
      .on("disconnect", (event) => this.#disconnected(event))
      .on("reconnecting", ({ attempt, at }) => this.#setLink({ state: "waiting", attempt, at }))
      .on("error", ({ message }) => this.#setLink({ trouble: message }))
      .on("closed", () => ["refused", "replaced"].includes(this.#link.state) || this.#setLink({ state: "closed" }))
      .on("message", () => this.#alive())
      .on("welcome", (message) => this.#welcomed(message))
      .on("said", (message) => this.#heard(message))
      .on("older", (message) => this.#prepended(message))
      .on("people", ({ people }) => this.#set({ people }))
      .on("typing", ({ names }) => this.#set({ typing: names }))
      .on("refused", (message) => this.#refused(message));
  }

  view() {
    const { at, ...link } = this.#link;
    return {
      room: this.room,
      name: this.name,
      limits: this.#limits,
      ...this.#view,
      typing: this.#view.typing.filter((name) => name !== this.name),
      lines: [...this.#said, ...this.#waiting],
      link: { ...link, retry_in: at === null ? null : Math.max(0, (at - performance.now()) / 1000) },
    };
  }

  // -- What a face says ------------------------------------------------------------------------------------------------

  // Send a message, now or when the connection is back: "" or why it can not be one.
  say(text) {
    const { said, why } = message(text, this.#limits);
    if (why) return why;
    this.#waiting.push({ key: freshId(), seq: null, name: this.name, text: said, at: Date.now(), own: true, state: "sending", trouble: "" });
    this.#typingTold = null;
    this.#cancel("typing");
    Object.assign(this.#view, { unread: 0, unread_from: null });
    this.#keep();
    this.#pump();
    this.#changed();
    return "";
  }

  retry(key) {
    const line = this.#take(key);
    if (line) this.#waiting.push({ ...line, state: "sending", trouble: "" });
    this.#keep();
    this.#pump();
    this.#changed();
  }

  discard(key) {
    const line = this.#take(key);
    this.#keep();
    this.#changed();
    return line ? line.text : "";
  }

  typing(on) {
    const now = performance.now();
    if (on) {
      this.#later("typing", TYPING_STOPS, () => this.typing(false));
      if (this.#typingTold !== null && now - this.#typingTold < TYPING_AGAIN) return;
    } else {
      this.#cancel("typing");
      if (this.#typingTold === null) return;
    }
    if (!this.#joined) return;
    this.#typingTold = on ? now : null;
    this.#ws.send({ type: "typing", on });
  }

  looking(on) {
    const news = this.#looking !== on || (on && this.#view.unread > 0);
    this.#looking = on;
    if (on) this.#view.unread = 0;
    if (news) this.#changed();
  }

  older() {
    if (!this.#said.length || !this.#view.more || this.#asked || !this.#joined) return;
    this.#asked = this.#ws.send({ type: "older", before: this.#said[0].seq });
  }

  rename(name) {
    this.name = name;
    this.#joined = false;
    this.#link.state = "connecting";
    this.#ws.reconnect();
  }

  hurry() {
    this.#ws.reconnect();
  }

  close() {
    Object.keys(this.#timers).forEach((what) => this.#cancel(what));
    this.#ws.close();
  }

  // -- The connection's life -------------------------------------------------------------------------------------------

  #join() {
    const since = this.#said.at(-1)?.seq ?? 0;
    this.#ws.send({ type: "join", version: VERSION, room: this.room, name: this.name, client: this.#client, since, log: this.#log });
  }

  #disconnected({ code, reason }) {
    this.#joined = false;
    this.#inFlight = null;
    this.#asked = false;
    this.#typingTold = null;
    this.#view.typing = [];
    ["pump", "alive", "dead"].forEach((what) => this.#cancel(what));
    if (this.#link.state === "refused") return;
    const trouble = reason || (code === 1006 ? "The connection was lost" : "The server went away");
    this.#setLink({ state: code === REPLACED ? "replaced" : "connecting", trouble });
  }

  #setLink(change) {
    this.#link = { ...this.#link, at: null, code: "", ...change };
    this.#changed();
  }

  // Something came: ask again after a silence, and take no answer for a lost connection. A browser tells a dead one late.
  #alive() {
    this.#cancel("dead");
    this.#later("alive", ALIVE_EVERY, () => {
      this.#ws.send({ type: "ping" });
      this.#later("dead", ALIVE_WITHIN, () => this.#ws.reconnect());
    });
  }

  // -- What the server says --------------------------------------------------------------------------------------------

  #welcomed(message) {
    this.#joined = true;
    this.#inFlight = null;
    this.#log = message.log;
    this.#limits = message.limits;
    this.name = message.name;
    Object.assign(this.#view, { people: message.people, typing: message.typing });
    let looking = this.#looking;
    if (!message.complete) {
      looking ||= !this.#said.length;
      this.#said = [];
      this.#view.more = message.messages.length > 0;
    }
    message.messages.forEach((one) => this.#add(one, looking));
    this.#pump();
    this.#setLink({ state: "online", trouble: "", was_online: true });
  }

  #heard(message) {
    if (message.id === this.#inFlight) this.#inFlight = null;
    this.#add(message, this.#looking);
    this.#pump();
    this.#changed();
  }

  #add(message, looking) {
    const line = this.#received(message);
    if (message.seq <= (this.#said.at(-1)?.seq ?? 0)) return;
    this.#said.push(line);
    if (!looking && !line.own) {
      if (!this.#view.unread) this.#view.unread_from = line.key;
      this.#view.unread += 1;
    }
    if (looking && this.#said.length > KEPT) {
      this.#said.splice(0, this.#said.length - KEPT);
      this.#view.more = true;
    }
  }

  #received({ id, seq, name, text, at }) {
    const own = id !== undefined; // told to the client that made it, and to nobody else
    if (own && this.#waiting.some(({ key }) => key === id)) {
      this.#waiting = this.#waiting.filter(({ key }) => key !== id);
      this.#keep();
    }
    return { key: own ? id : `#${seq}`, seq, name, text, at, own, state: "sent", trouble: "" };
  }

  #prepended({ messages, more }) {
    this.#asked = false;
    const first = this.#said[0]?.seq ?? Infinity;
    this.#said = [...messages.filter(({ seq }) => seq < first).map((one) => this.#received(one)), ...this.#said];
    this.#set({ more });
  }

  #set(change) {
    Object.assign(this.#view, change);
    this.#changed();
  }

  #refused({ id, code, text, retry_after: after }) {
    if (id !== undefined) {
      if (id !== this.#inFlight) return;
      this.#inFlight = null;
      if (code === "not-joined") return; // said in the moment of a reconnect: the welcome starts it again
      if (after !== undefined) return this.#later("pump", after * 1000, () => this.#pump());
      this.#waiting = this.#waiting.map((line) => (line.key === id ? { ...line, state: "failed", trouble: text } : line));
      this.#keep();
      this.#pump();
      return this.#changed();
    }
    if (this.#joined) return void (this.#asked = false);
    if (after !== undefined || code === "not-stored") {
      this.#later("join", (after ?? 1) * 1000, () => this.#join());
      return this.#setLink({ state: "connecting", trouble: text, code });
    }
    this.#setLink({ state: "refused", trouble: text, code });
    this.#ws.close();
  }

  // -- Sending ---------------------------------------------------------------------------------------------------------

  #pump() {
    const line = this.#waiting.find(({ state }) => state === "sending");
    if (!line || this.#inFlight !== null || !this.#joined || this.#timers.pump) return;
    if (this.#ws.send({ type: "say", id: line.key, text: line.text })) this.#inFlight = line.key;
  }

  #take(key) {
    const line = this.#waiting.find((one) => one.key === key && one.state === "failed");
    this.#waiting = this.#waiting.filter((one) => one !== line);
    return line;
  }

  #keep() {
    this.#kept.set({ client: this.#client, room: this.room, waiting: this.#waiting });
  }

  #later(what, ms, call) {
    this.#cancel(what);
    this.#timers[what] = setTimeout(() => {
      delete this.#timers[what];
      call();
    }, ms);
  }

  #cancel(what) {
    clearTimeout(this.#timers[what]);
    delete this.#timers[what];
  }
}
