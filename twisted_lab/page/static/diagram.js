// The sequence diagram, drawn by the bench and refetched when there is more to draw.

import { element, drawing } from "./element.js";
import { Poll } from "./poll.js";

const SCALES = [["time", "To scale"], ["even", "Evenly"], ["both", "Both ends"]];

/** Pixels: what the bench draws at least, and what the eye can follow from side to side. */
const NARROWEST = 240;
const WIDEST = 760;

let chosen = "time";

export class Diagram {
  #marked = -1;
  #drawn = 0;

  /** `path` is where its SVG is; `pick(drawn, origin)` hears which event was
   * chosen: its `ns`, its `event` and what its picture says (`title`). */
  constructor(bench, path, { hold, pick, failed }) {
    Object.assign(this, { bench, path, hold, pick, failed });
    this.canvas = element("div", { class: "canvas", tabindex: "0", role: "group",
      "aria-label": "Sequence diagram; the events tab has the same as a list" });
    this.canvas.addEventListener("click", (event) => this.#clicked(event));
    this.canvas.addEventListener("keydown", (event) => this.#pressed(event));
    this.switch = element("fieldset", { class: "switch" },
      element("legend", {}, "Time"), ...SCALES.map((scale) => this.#choice(scale)));
    this.element = element("div", { class: "scroll" }, this.canvas);
    this.room = new ResizeObserver(() => this.#resized());
    this.room.observe(this.element);
  }

  stop() {
    this.room.disconnect();
    this.poll?.stop();
  }

  #resized() {
    const before = this.#drawn;
    if (before && this.#width() !== before) this.nudge();
  }

  /** There is more to draw. */
  nudge() {
    this.poll?.nudge();
  }

  /** Its tab was turned to, or away from: what nobody sees is not asked for. */
  turned(seen) {
    this.switch.hidden = !seen;
    if (!seen) return;
    if (this.poll) this.poll.now();
    else this.poll = new Poll((signal) => this.#load(signal), this);
  }

  #choice([value, text]) {
    const input = element("input", { type: "radio", name: "scale", value,
      checked: value === chosen, onchange: () => this.#scale(value) });
    const label = element("label", { hidden: value === "both" }, input, element("span", {}, text));
    if (value === "both") this.both = label;
    return label;
  }

  /** Whether the other end is known here, too. */
  knows(other) {
    this.both.hidden = !other;
  }

  #scale(value) {
    chosen = value;
    this.poll.now();
  }

  async #load(signal) {
    if (this.element.hidden) return;
    const query = new URLSearchParams({ scale: chosen, width: this.#width() });
    const text = await this.bench.text(`${this.path}?${query}`, signal);
    const root = drawing(text);
    if (!root) return;
    this.canvas.replaceChildren(root);
    this.#mark(this.#marked);
  }

  /** Pixels: as wide as there is room, and as the bench draws. */
  #width() {
    const { paddingLeft, paddingRight } = getComputedStyle(this.canvas);
    const room = this.element.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
    this.#drawn = Math.floor(Math.min(Math.max(room, NARROWEST), WIDEST));
    return this.#drawn;
  }

  #groups() {
    return [...this.canvas.querySelectorAll("[data-index]")];
  }

  #mark(index) {
    this.#marked = index;
    for (const group of this.#groups()) {
      group.classList.toggle("chosen", Number(group.dataset.index) === index);
    }
  }

  #choose(group, origin = null) {
    if (!group) return;
    this.#mark(Number(group.dataset.index));
    const title = group.querySelector("title")?.textContent ?? "";
    this.pick({ ns: Number(group.dataset.ns), event: group.classList[1], title }, origin);
  }

  #clicked(event) {
    this.#choose(event.target.closest("[data-index]"));
  }

  /** The arrows walk the events, Enter goes to what is told of the one. */
  #pressed(event) {
    const groups = this.#groups();
    const at = groups.findIndex((group) => Number(group.dataset.index) === this.#marked);
    const next = { ArrowDown: at + 1, ArrowUp: Math.max(0, at - 1), Enter: at, " ": at }[event.key];
    if (next === undefined || !groups[next]) return;
    event.preventDefault();
    groups[next].scrollIntoView({ block: "nearest" });
    this.#choose(groups[next], event.key === "Enter" || event.key === " " ? this.canvas : null);
  }
}
