// The mistakes of a watched program: where, what was seen, why it matters, and the mend.

import { element } from "./element.js";
import { escape } from "./escape.js";

/** Nothing while there are none. */
export class Findings {
  constructor() {
    this.element = element("section", { class: "findings", "aria-label": "Mistakes", hidden: true });
    this.shown = "";
  }

  show(findings = []) {
    const text = JSON.stringify(findings);
    if (text === this.shown) return;
    this.shown = text;
    this.element.hidden = findings.length === 0;
    this.element.replaceChildren(...findings.map((finding) => this.#one(finding)));
  }

  #one({ title, place, says, why, mend, connection }) {
    const where = connection
      ? element("a", { href: `#${connection}` }, escape(place) || connection)
      : escape(place);
    return element("details", { class: "finding", open: true },
      element("summary", {}, element("strong", {}, title), " ", where),
      element("p", {}, escape(says)),
      element("p", {}, element("b", {}, "Why: "), why),
      element("p", {}, element("b", {}, "Mend: "), mend));
  }
}
