// One connection, or one datagram peer, opened: its facts, its diagram, its events, its bytes.

import { Diagram } from "./diagram.js";
import { element, refresh } from "./element.js";
import { Entries } from "./entries.js";
import { Inspector } from "./inspector.js";
import { Poll } from "./poll.js";
import { Refusal } from "./bench.js";
import { Stream } from "./stream.js";
import { Tabs } from "./tabs.js";
import { number } from "./units.js";

/** How many events are kept to be looked at from the diagram: the last of them. */
const KEPT = 20_000;

/** Of a list the bench gives no more at once. */
const MOST = 1000;

/** What changes more than the totals: the bench is asked what it says now. */
const TURNS = new Set(["peer-shutdown", "local-shutdown", "closed", "gap", "tls"]);

let view = "diagram";

/** `list` is where the bench tells of all such things, `name` what it calls one of them, `query` what
 * its event stream is asked for. A subclass knows what is so of the thing itself. */
export class Detail {
  #events = [];
  #gone = 0;
  #waiting = [];
  #subject = null;
  #told = 0;
  #frame = 0;

  constructor(bench, id, { hold, problem, changed, list, query, name }) {
    Object.assign(this, { bench, id, hold, problem, changed, list, query, name });
    this.path = `${list}/${id}`;
    this.title = id;
    this.state = "";
    this.actions = [];
    this.facts = element("div", { class: "about" });
    this.inspector = new Inspector();
    this.entries = new Entries({ pick: (entry, origin) => this.#look(entry, origin) });
    const failed = (error) => this.#failed(error);
    this.diagram = new Diagram(bench, `${this.path}.svg`, { hold, failed,
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

  /** First the whole of it; later what changes, which is little and comes from the list. */
  async #load(signal) {
    if (this.#subject === null) this.#begin(await this.bench.get(this.path, signal));
    else await this.#update(signal);
    if (this.#subject) this.#tell();
  }

  #begin(answer) {
    this.#subject = answer[this.name];
    this.#told = answer.seq;
    this.stream.from(answer.seq);
    this.#events = answer.events;
    this.#gone = 0;
    this.entries.show(this.#events, this.begin(this.#subject));
    this.#take(this.#waiting.splice(0).filter((entry) => this.#later(entry)));
  }

  async #update(signal) {
    const { peer, service } = this.#subject;
    const query = new URLSearchParams({ peer, service, limit: MOST });
    const answer = await this.bench.get(`${this.list}?${query}`, signal);
    const found = answer[`${this.name}s`].find(({ id }) => id === this.id);
    if (!found || this.#subject === null) return;
    this.#subject = found;
    this.#told = answer.ns;
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

  /** The event that was `drawn`; the history is fetched again where we have lost it. */
  async #find(drawn, origin) {
    if (!this.#drawn(drawn)) {
      this.#subject = null;
      await this.#load().catch((error) => this.#failed(error));
    }
    const { event, title } = drawn;
    this.#look(this.#drawn(drawn) ?? { event, says: title }, origin);
  }

  #drawn({ ns, event }) {
    return this.#events.find((entry) => entry.ns === ns && entry.event === event);
  }

  #look(entry, origin) {
    if (this.#subject) this.inspector.show(entry, this.begin(this.#subject), origin);
  }
}
