// The list of connections: newest first, the open ones on top.

import { escape } from "./escape.js";
import { element, say } from "./element.js";
import { mark } from "./reasons.js";
import { Table } from "./table.js";
import { counted, duration, number, size } from "./units.js";

/** How many rows are shown at first, and at most: the bench gives no more at once. */
const FIRST = 200;
const MOST = 1000;

const COLUMNS = [
  { name: "id", title: "Connection", of: (c) => c.id },
  { name: "state", title: "State", of: (c) => c.state, mark },
  { name: "service", title: "Service", of: (c) => escape(c.service), foreign: true },
  { name: "peer", title: "Peer", of: (c) => escape(c.peer), foreign: true },
  { name: "in", title: "In", of: (c) => size(c.bytes_in) },
  { name: "out", title: "Out", of: (c) => size(c.bytes_out) },
  { name: "time", title: "Open for", of: (c) => duration(c.duration) },
  { name: "reason", title: "Ended by", of: (c) => c.reason ?? "" },
];

export class Connections {
  #limit = FIRST;

  constructor(bench, filters, { again }) {
    Object.assign(this, { bench, filters });
    this.table = new Table("Connections", COLUMNS, { key: (c) => c.id, href: (c) => `#${c.id}` });
    this.empty = element("p", { class: "empty", hidden: true });
    this.more = element("button", { type: "button", onclick: () => this.#grow(again) });
    this.rest = element("p", { class: "rest", hidden: true }, element("span"), " ", this.more);
    this.element = element("div", { class: "view" }, this.table.element, this.empty, this.rest);
  }

  /** Asks the bench, and shows its answer; how many are open. */
  async load(signal) {
    const query = new URLSearchParams({ ...this.filters.values, limit: this.#limit });
    const answer = await this.bench.get(`/api/connections?${query}`, signal);
    this.table.show(answer.connections);
    this.#say(answer);
    return answer.open;
  }

  #grow(again) {
    this.#limit = MOST;
    again();
  }

  #say({ connections, matching, open, closed, forgotten }) {
    const none = connections.length === 0;
    this.empty.hidden = !none;
    say(this.empty, open + closed === 0 ? NONE : "No connection matches the filter.");
    this.table.element.hidden = none;
    const hidden = matching - connections.length;
    const gone = forgotten ? ` ${counted(forgotten, "older one")} no longer kept.` : "";
    this.rest.hidden = none || (hidden === 0 && !gone);
    const shown = hidden ? `${number(connections.length)} of ${number(matching)} shown.` : "";
    say(this.rest.firstElementChild, shown + gone);
    this.more.hidden = hidden === 0 || this.#limit === MOST;
    say(this.more, `Show up to ${number(MOST)}`);
  }
}

const NONE = "No connection yet. Connect to a service: “Try it” shows the commands to paste.";
