// One service opened: what it is, what came to it and how that ended, and how to try it.

import { escape } from "./escape.js";
import { element, foreign, refresh } from "./element.js";
import { places } from "./services.js";
import { trying } from "./trying.js";
import { number, size } from "./units.js";

const counts = (by) => Object.entries(by).map(([word, count]) => `${word} ${number(count)}`).join(" · ");

export class ServicePane {
  constructor(name, services) {
    Object.assign(this, { name, services });
    this.title = escape(name);
    this.facts = element("div");
    this.try = element("div");
    this.element = element("div", { class: "body" }, this.try, element("h3", {}, "So far"), this.facts);
    this.actions = [];
  }

  /** Shows what the list of services last said; to be called again when it says more. */
  refresh() {
    const service = this.services.named(this.name);
    if (!service) {
      this.facts.replaceChildren(element("p", { class: "empty" }, "There is no such service."));
      return;
    }
    this.#try(service);
    refresh(this.facts, this.#rows(service));
  }

  start() {
    this.refresh();
  }

  stop() {}

  /** Made once: a selection in it must live. */
  #try(service) {
    const text = JSON.stringify(service.try);
    if (text === this.tried) return;
    this.tried = text;
    this.try.replaceChildren(element("p", { class: "summary" }, escape(service.summary)),
      element("h3", {}, "Try it"), trying(service.try));
  }

  #rows(service) {
    const where = places(service.ports).map(([transport, addresses]) =>
      [transport, foreign(addresses.join("  "))]);
    return [
      ["state", service.state], ...where,
      ["connections", `${number(service.open)} open, ${number(service.accepted)} accepted`],
      ["ended by", counts(service.closed)],
      ["refused", counts(service.refused)],
      ["bytes", `${size(service.bytes_in)} in, ${size(service.bytes_out)} out`],
      ["datagrams", `${number(service.datagrams_in)} in (${size(service.datagram_bytes_in)}), ` +
        `${number(service.datagrams_out)} out (${size(service.datagram_bytes_out)})`],
      ["dropped", counts(service.dropped)],
    ];
  }
}
