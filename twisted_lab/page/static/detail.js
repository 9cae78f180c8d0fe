// One connection, or one datagram peer, opened: its facts, its diagram, its events, its bytes.

import { Diagram } from "./diagram.js";
import { element, foreign, refresh } from "./element.js";
import { Entries } from "./entries.js";
import { escape } from "./escape.js";
import { Inspector } from "./inspector.js";
import { Kernel } from "./kernel.js";
import { Poll } from "./poll.js";
import { mark, REASONS } from "./reasons.js";
import { Refusal } from "./bench.js";
import { Stream } from "./stream.js";
import { Tabs } from "./tabs.js";
import { counted, duration, number } from "./units.js";

/** How many events are kept to be looked at from the diagram: the last of them. */
const KEPT = 20_000;

/** What changes more than the totals: the bench is asked what it says now. */
const TURNS = new Set(["peer-shutdown", "local-shutdown", "closed", "gap", "tls"]);

let view = "diagram";

export class Detail {
  #events = [];
  #gone = 0;
  #whole = true;
  #waiting = [];
  #subject = null;
  #told = 0;
  #frame = 0;

  constructor(bench, id, { hold, problem, changed, path, query, name }) {
    Object.assign(this, { bench, id, hold, problem, changed, path, query, name });
    this.title = id;
    this.state = "";
    this.actions = [];
    this.facts = element("div", { class: "about" });
    this.inspector = new Inspector();
    this.entries = new Entries({ pick: (entry, origin) => this.#look(entry, origin) });
    const failed = (error) => this.#failed(error);
    this.diagram = new Diagram(bench, `${path}.svg`, { hold, failed,
      pick: (drawn, origin) => this.#find(drawn, origin) });
    this.tabs = new Tabs("Events of this connection", [
      ["diagram", "Diagram", this.diagram.element], ["events", "Events", this.entries.element],
    ], { chosen: (name) => this.#turned(name) });
    this.element = element("div", { class: "body detail" }, this.facts, ...this.parts(),
      element("div", { class: "turn" }, this.tabs.element, this.diagram.switch),
      this.diagram.element, this.entries.element, this.inspector.element);
    this.resume = () => { if (!hold.held) this.#again(); };
    hold.addEventListener("change", this.resume);
  }

  /** It stands in the page: ask. */
  start() {
    this.tabs.show(view);
    // The stream first, then the question: nothing that happens between the two is lost.
    const opened = () => this.#ask();
    this.stream = new Stream(this.bench, this.query, { entry: (entry) => this.#entry(entry), opened,
      refused: opened });
  }

  #ask() {
    if (this.poll) this.poll.nudge();
    else {
      this.poll = new Poll((signal) => this.#load(signal),
        { failed: (error) => this.#failed(error) });
    }
  }

  /** What stands between the facts and the events. */
  parts() {
    return [];
  }

  /** Once a second: the time goes on, also where nothing happens. */
  refresh() {
    if (this.#subject) this.#tell();
  }

  stop() {
    this.stream.stop();
    this.poll?.stop();
    this.diagram.stop();
    this.hold.removeEventListener("change", this.resume);
    cancelAnimationFrame(this.#frame);
  }

  /** The same from the beginning, as after a time in which nothing was taken in. */
  #again() {
    this.#subject = null;
    this.poll?.now();
  }

  async #load(signal) {
    const answer = await this.bench.get(this.path, signal);
    const first = this.#subject === null;
    this.#subject = answer[this.name];
    this.#told = answer.seq;
    if (first) {
      this.stream.from(answer.seq);
      const later = this.#waiting.splice(0).filter((entry) => this.#later(entry));
      this.#events = answer.events;
      this.#gone = 0;
      this.#whole = true;
      this.entries.show(this.#events, this.begin(this.#subject));
      this.#take(later);
    }
    this.#tell();
  }

  /** Whether `entry` is not yet in what the bench last answered. */
  #later({ seq }) {
    return !(seq <= this.#told);
  }

  #failed(error) {
    if (!(error instanceof Refusal)) return;
    this.stop();
    this.facts.replaceChildren(element("p", { class: "empty" }, error.message));
  }

  #entry(entry) {
    if (this.#subject === null) {
      this.#waiting.push(entry);
    } else if (this.hold.held) {
      this.hold.count(this.id);
    } else {
      this.#take([entry]);
    }
  }

  /** Applies what is new; what is drawn and counted follows with the next frame. */
  #take(entries) {
    for (const entry of entries) {
      this.#events.push(entry);
      if (entry.reason === "overrun") this.#whole = false;
      if (this.#later(entry)) this.apply(this.#subject, entry);
      if (TURNS.has(entry.event)) this.poll.nudge();
    }
    if (entries.length === 0) return;
    this.#shorten();
    this.entries.append(entries);
    this.diagram.nudge();
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      if (this.#subject) this.#tell();
    });
  }

  /** Half at once, so that it is rare. */
  #shorten() {
    if (this.#events.length <= KEPT) return;
    this.#gone += this.#events.splice(0, KEPT / 2).length;
  }

  #tell() {
    refresh(this.facts, this.rows(this.#subject));
    this.tabs.buttons[1].textContent = `Events ${number(this.#gone + this.#events.length)}`;
    this.told(this.#subject, this.#events);
    this.changed(this);
  }

  #turned(name) {
    view = name;
    this.diagram.turned(name === "diagram");
  }

  /** The event that was `drawn`. We count as the bench does, until one of us has lost some. */
  async #find(drawn, origin) {
    if (!this.#drawn(drawn)) {
      this.#subject = null;
      await this.#load();
    }
    const { event, title } = drawn;
    this.#look(this.#drawn(drawn) ?? { event, says: title }, origin);
  }

  #drawn({ index, title }) {
    const entry = this.#events[index - this.#gone];
    return this.#whole && entry && title.startsWith(entry.says.slice(0, 200)) ? entry : undefined;
  }

  #look(entry, origin) {
    if (this.#subject) this.inspector.show(entry, this.begin(this.#subject), origin);
  }
}

/** A connection: it has a state, a kernel's view, and an end that can be brought about. */
export class ConnectionDetail extends Detail {
  constructor(bench, id, options) {
    super(bench, id, { ...options, path: `/api/connections/${id}`, query: { connection: id },
      name: "connection" });
    this.actions = ["close", "reset"].map((doing) => this.#action(doing));
  }

  parts() {
    this.kernel = new Kernel(this.bench, this.id, { hold: this.hold, failed: () => {} });
    return [this.kernel.element];
  }

  stop() {
    super.stop();
    this.kernel.stop();
  }

  begin(connection) {
    return connection.opened_ns;
  }

  apply(connection, { event, bytes = 0, bytes_in: moved = 0, bytes_out: out = 0 }) {
    if (event === "received") connection.bytes_in += bytes;
    if (event === "sent") connection.bytes_out += bytes;
    if (event === "gap") {
      connection.bytes_in += moved;
      connection.bytes_out += out;
    }
  }

  rows(connection) {
    const { reason, state } = connection;
    const ended = reason && [element("strong", {}, reason), `: ${REASONS[reason] ?? ""}`];
    return [
      ["peer", foreign(escape(connection.peer))], ["local", foreign(escape(connection.local))],
      ["transport", connection.transport], ["proxy", connection.proxy && escape(connection.proxy)],
      [state === "closed" ? "was open for" : "open for", duration(this.#age(connection))],
      ["in", counted(connection.bytes_in)], ["out", counted(connection.bytes_out)],
      ["ended by", ended && element("span", {}, ...ended)],
      ["detail", connection.detail && foreign(escape(connection.detail))],
    ];
  }

  told(connection, events) {
    this.title = `${this.id} · ${escape(connection.service)}`;
    this.state = connection.state;
    this.mark = mark(connection);
    const closed = connection.state === "closed";
    for (const button of this.actions) button.hidden = closed;
    const end = closed && events.findLast(({ event }) => event === "closed");
    if (!end) return; // it is still on its way
    this.stream.stop();
    this.kernel.ended(end.tcp_info);
  }

  #age(connection) {
    if (connection.state === "closed") return connection.duration;
    return Math.max(0, this.bench.ns - connection.opened_ns) / 1e9;
  }

  #action(doing) {
    const says = { close: "Close: the bench sends FIN", reset: "Reset: the bench sends RST" }[doing];
    return element("button", { type: "button", class: "do", title: says, hidden: true,
      onclick: () => this.#do(doing) }, doing === "close" ? "Close" : "Reset");
  }

  async #do(doing) {
    try {
      await this.bench.change(`/api/connections/${this.id}/${doing}`);
      this.problem(null);
    } catch (error) {
      this.problem(error);
    }
  }
}

/** A datagram peer: it has no state and no end. */
export class TalkDetail extends Detail {
  constructor(bench, id, options) {
    super(bench, id, { ...options, path: `/api/datagrams/${id}`, query: { talk: id }, name: "talk" });
  }

  begin(talk) {
    return talk.first_ns;
  }

  apply(talk, { event, bytes = 0, count = 1 }) {
    if (event === "datagram-received") {
      talk.datagrams_in += 1;
      talk.bytes_in += bytes;
    }
    if (event === "datagram-sent") {
      talk.datagrams_out += 1;
      talk.bytes_out += bytes;
    }
    if (event === "datagram-dropped") talk.dropped += count;
  }

  rows(talk) {
    return [
      ["peer", foreign(escape(talk.peer))], ["local", foreign(escape(talk.local))],
      ["in", `${counted(talk.datagrams_in, "datagram")}, ${counted(talk.bytes_in)}`],
      ["out", `${counted(talk.datagrams_out, "datagram")}, ${counted(talk.bytes_out)}`],
      ["dropped", counted(talk.dropped, "datagram")],
      ["between first and last", duration((talk.last_ns - talk.first_ns) / 1e9)],
    ];
  }

  told(talk) {
    this.title = `${this.id} · ${escape(talk.service)}, datagrams`;
  }
}
