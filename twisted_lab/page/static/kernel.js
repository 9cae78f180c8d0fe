// The kernel's view of one connection, asked for while it is open.

import { element, refresh, say } from "./element.js";
import { kernelRows } from "./inspector.js";
import { Poll } from "./poll.js";

/** Milliseconds between two questions. */
const EVERY = 1000;

export class Kernel {
  constructor(bench, id, { hold, failed }) {
    Object.assign(this, { bench, id });
    this.values = element("div");
    this.why = element("p", { class: "why" });
    this.element = element("section", { class: "kernel", "aria-label": "Kernel" },
      element("h3", {}, "Kernel"), this.values, this.why);
    this.poll = new Poll((signal) => this.#load(signal), { every: EVERY, hold, failed });
  }

  stop() {
    this.poll.stop();
  }

  /** The connection ended; `info` is what its end said, if the kernel still knew. */
  ended(info) {
    this.stop();
    if (!info) return;
    refresh(this.values, kernelRows(info));
    say(this.why, "As its end began.");
  }

  async #load(signal) {
    const { tcp_info: info, why } = await this.bench.get(`/api/connections/${this.id}/kernel`, signal);
    refresh(this.values, info ? kernelRows(info) : []);
    say(this.why, info ? "" : why);
  }
}
