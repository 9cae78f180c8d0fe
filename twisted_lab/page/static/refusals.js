// The list of what was turned away, the latest on top.

import { escape } from "./escape.js";
import { element, say } from "./element.js";
import { Table } from "./table.js";
import { duration, number } from "./units.js";

const COLUMNS = [
  { name: "time", title: "When", of: (r) => r.ago },
  { name: "service", title: "Service", of: (r) => escape(r.service), foreign: true },
  { name: "peer", title: "Peer", of: (r) => escape(r.peer), foreign: true },
  { name: "reason", title: "Gate", of: (r) => r.reason, mark: () => "state refused" },
  { name: "detail", title: "Why", of: (r) => escape(r.detail ?? ""), foreign: true },
  { name: "count", title: "Times", of: (r) => number(r.count) },
];

const key = ({ ns, peer, reason }) => `${ns} ${peer} ${reason}`;

export class Refusals {
  constructor(bench) {
    this.bench = bench;
    this.table = new Table("Refused", COLUMNS, { key });
    this.empty = element("p", { class: "empty", hidden: true });
    this.element = element("div", { class: "view" }, this.table.element, this.empty);
    say(this.empty, "Nothing was turned away.");
  }

  async load(signal) {
    const { refusals, ns } = await this.bench.get("/api/refusals", signal);
    const ago = (at) => `${duration(Math.max(0, (ns ?? this.bench.ns) - at) / 1e9)} ago`;
    this.table.show(refusals.map((refusal) => ({ ...refusal, ago: ago(refusal.ns) })));
    this.table.element.hidden = refusals.length === 0;
    this.empty.hidden = refusals.length > 0;
  }
}
