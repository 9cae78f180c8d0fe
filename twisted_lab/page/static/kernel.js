// The kernel's view of one connection, asked for while it is open.

import { element, refresh, say } from "./element.js";
import { kernelRows } from "./inspector.js";
import { Poll } from "./poll.js";

/** Milliseconds between two questions. */
const EVERY = 1000;

const sentence = (words) => `${words[0].toUpperCase()}${words.slice(1)}.`;

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

  /** The connection ended; `info` is what its end said, if anybody had asked for that then. */
  ended(info) {
    this.over = true;
    if (!info) return; // the bench says why, when asked once more
    this.stop();
    refresh(this.values, kernelRows(info));
    say(this.why, "As its end began.");
  }

  async #load(signal) {
    const { tcp_info: info, why } = await this.bench.get(`/api/connections/${this.id}/kernel`, signal);
    refresh(this.values, info ? kernelRows(info) : []);
    say(this.why, info ? "" : sentence(why));
    if (this.over && !info) this.stop();
  }
}
