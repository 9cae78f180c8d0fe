// The list of datagram peers: who sent datagrams to which service, the latest on top.

import { escape } from "./escape.js";
import { element, say } from "./element.js";
import { Table } from "./table.js";
import { counted, duration, number, size } from "./units.js";

const COLUMNS = [
  { name: "id", title: "Peer no.", of: (t) => t.id },
  { name: "service", title: "Service", of: (t) => escape(t.service), foreign: true },
  { name: "peer", title: "Peer", of: (t) => escape(t.peer), foreign: true },
  { name: "in", title: "In", of: (t) => `${number(t.datagrams_in)} · ${size(t.bytes_in)}` },
  { name: "out", title: "Out", of: (t) => `${number(t.datagrams_out)} · ${size(t.bytes_out)}` },
  { name: "dropped", title: "Dropped", of: (t) => (t.dropped ? number(t.dropped) : "") },
  { name: "time", title: "Last", of: (t) => t.ago },
];

export class Datagrams {
  constructor(bench, filters) {
    Object.assign(this, { bench, filters });
    this.table = new Table("Datagram peers", COLUMNS, { key: (t) => t.id, href: (t) => `#${t.id}` });
    this.empty = element("p", { class: "empty", hidden: true });
    this.rest = element("p", { class: "rest", hidden: true });
    this.element = element("div", { class: "view" }, this.table.element, this.empty, this.rest);
  }

  async load(signal) {
    const { service, peer } = this.filters.values;
    const query = new URLSearchParams(Object.entries({ service, peer }).filter(([, value]) => value));
    const { talks, matching, forgotten, ns } = await this.bench.get(`/api/datagrams?${query}`, signal);
    const ago = (talk) => `${duration(Math.max(0, ns - talk.last_ns) / 1e9)} ago`;
    this.table.show(talks.map((talk) => ({ ...talk, ago: ago(talk) })));
    this.table.element.hidden = this.rest.hidden = talks.length === 0;
    this.empty.hidden = talks.length > 0;
    say(this.empty, service || peer ? "No datagram peer matches the filter." : NONE);
    const gone = forgotten ? ` ${counted(forgotten, "older one")} no longer kept.` : "";
    say(this.rest, (matching > talks.length ? `${talks.length} of ${number(matching)} shown.` : "") + gone);
  }
}

const NONE = "No datagrams yet. “Try it” shows the commands to paste for services with UDP.";
