// What a person must be told: that nothing moves and why, and what went wrong.

import { element, say } from "./element.js";
import { counted } from "./units.js";

const clock = (date) => date.toLocaleTimeString([], { hour12: false });

/** The line of a view that stands still: because it is held, or the bench is lost. */
export class Standing {
  #lost = null;

  constructor(bench, hold) {
    Object.assign(this, { bench, hold });
    this.words = element("span", { role: "status" });
    this.back = element("span", { class: "back" });
    this.element = element("p", { class: "standing", hidden: true }, this.words, this.back);
    hold.addEventListener("change", () => this.#show());
    hold.addEventListener("count", () => this.#count());
    bench.addEventListener("silent", () => { this.#lost = new Date(); this.#show(); });
    bench.addEventListener("answering", () => { this.#lost = null; this.#show(); });
  }

  #show() {
    const { bench, hold } = this;
    const lost = this.#lost
      ? `${bench.why || "The bench does not answer."} Since ${clock(this.#lost)}; trying again.`
      : "";
    const held = hold.held ? `Paused at ${clock(hold.since)}: the view stands still.` : "";
    this.element.hidden = !lost && !held;
    this.element.classList.toggle("lost", Boolean(lost));
    say(this.words, [lost, held].filter(Boolean).join(" "));
    this.#count();
  }

  /** Not in the live region: a number that grows is not to be read out. */
  #count() {
    const words = [...this.hold.counts].map(([what, n]) => `${counted(n, "event")} of ${what}`);
    say(this.back, words.length ? ` Held back: ${words.join(", ")}.` : "");
  }
}

/** One sentence on what went wrong, until it is put away. */
export class Problem {
  constructor() {
    this.words = element("span", { role: "alert" });
    const away = element("button", { type: "button", class: "quiet", "aria-label": "Put away",
      onclick: () => { this.element.hidden = true; } }, "✕");
    this.element = element("p", { class: "problem", hidden: true }, this.words, away);
  }

  /** null puts it away: what was asked for then worked. */
  tell(error) {
    this.words.textContent = error?.message ?? "";
    this.element.hidden = error === null;
  }
}
