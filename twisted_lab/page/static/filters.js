// What a list is narrowed to: service, peer, state and close reason.

import { escape } from "./escape.js";
import { element } from "./element.js";
import { REASONS } from "./reasons.js";

const option = (value, text = value) => element("option", { value }, text);

function field(label, control) {
  return element("label", { class: "field" }, element("span", {}, label), control);
}

export class Filters {
  constructor({ changed }) {
    this.changed = changed;
    this.peer = element("input", {
      type: "search", name: "peer", placeholder: "part of an address", autocomplete: "off",
      spellcheck: "false", size: "20", oninput: changed,
    });
    this.service = this.#select("service", [option("", "any")]);
    const states = [option("", "any"), option("open"), option("closed")];
    this.state = this.#select("state", states);
    const reasons = Object.entries(REASONS).map(([word, why]) =>
      element("option", { value: word, title: why }, word));
    this.reason = this.#select("reason", [option("", "any"), ...reasons]);
    this.element = element("form", { class: "filters", role: "search", "aria-label": "Filter" },
      field("Peer", this.peer), field("Service", this.service), field("State", this.state),
      field("Ended by", this.reason));
    this.element.addEventListener("submit", (event) => event.preventDefault());
  }

  #select(name, options) {
    return element("select", { name, onchange: this.changed }, ...options);
  }

  /** What to ask the bench for; a filter that is not set is left out. */
  get values() {
    const { peer, service, state, reason } = this;
    const all = { peer, service, state, reason };
    const set = Object.entries(all).filter(([, { value }]) => value.trim());
    return Object.fromEntries(set.map(([name, { value }]) => [name, value.trim()]));
  }

  /** The services that can be asked for. */
  offer(names) {
    const options = Array.from(this.service.options).slice(1).map(({ value }) => value);
    if (options.join("\n") === names.join("\n")) return;
    const chosen = this.service.value;
    const offered = names.map((name) => option(name, escape(name)));
    this.service.replaceChildren(option("", "any"), ...offered);
    this.service.value = names.includes(chosen) ? chosen : "";
  }

  /** Narrows to `name`, or to any service where it is chosen already. */
  choose(name) {
    this.service.value = this.service.value === name ? "" : name;
    this.changed();
  }

  /** Only what the list `name` can be narrowed to is shown. */
  suit(name) {
    const hide = (control, hidden) => { control.closest("label").hidden = hidden; };
    hide(this.state, name !== "connections");
    hide(this.reason, name !== "connections");
    this.element.hidden = name === "refused";
  }
}
