// One connection opened: it has a state, a kernel's view, and an end that can be brought about.

import { Detail } from "./detail.js";
import { element, foreign } from "./element.js";
import { escape } from "./escape.js";
import { Kernel } from "./kernel.js";
import { mark, REASONS } from "./reasons.js";
import { counted, duration } from "./units.js";

export class ConnectionDetail extends Detail {
  constructor(bench, id, options) {
    super(bench, id, { ...options, list: "/api/connections", query: { connection: id },
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
    this.diagram.knows(Boolean(connection.other));
    const watched = events.some(({ called }) => called); // a program's own
    for (const button of this.actions) button.hidden = closed || watched;
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
