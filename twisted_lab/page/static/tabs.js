// Two or more views of one thing, one shown at a time (the ARIA tabs pattern).

import { element } from "./element.js";

/** `views` are `[name, title, element]`; `chosen(name)` hears which is shown. */
export class Tabs {
  constructor(label, views, { chosen }) {
    Object.assign(this, { views, chosen });
    this.buttons = views.map(([name, title]) => element("button", { type: "button", role: "tab",
      id: `tab-${name}`, "aria-controls": `view-${name}`, onclick: () => this.show(name) }, title));
    for (const [name, , view] of views) {
      view.id = `view-${name}`;
      view.setAttribute("role", "tabpanel");
      view.setAttribute("aria-labelledby", `tab-${name}`);
    }
    this.element = element("div", { class: "tabs", role: "tablist", "aria-label": label },
      ...this.buttons);
    this.element.addEventListener("keydown", (event) => this.#pressed(event));
  }

  show(name) {
    this.views.forEach(([own, , view], index) => {
      view.hidden = own !== name;
      this.buttons[index].setAttribute("aria-selected", String(own === name));
      this.buttons[index].tabIndex = own === name ? 0 : -1;
    });
    this.chosen(name);
  }

  #pressed(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = this.buttons.indexOf(event.target);
    if (!step || at < 0) return;
    const next = (at + step + this.buttons.length) % this.buttons.length;
    this.buttons[next].focus();
    this.show(this.views[next][0]);
  }
}
