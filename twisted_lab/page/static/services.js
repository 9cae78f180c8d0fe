// The services beside the lists: where each listens, and what has come to it.

import { ofService } from "./address.js";
import { escape } from "./escape.js";
import { element, say } from "./element.js";
import { number, size } from "./units.js";

const total = (counts) => Object.values(counts).reduce((sum, count) => sum + count, 0);

/** `tcp 127.0.0.1:9000, [::1]:9000` a transport. */
export function places(ports) {
  const by = Map.groupBy
    ? Map.groupBy(ports, (port) => port.transport)
    : ports.reduce((map, port) => map.set(port.transport, [...(map.get(port.transport) ?? []), port]),
        new Map());
  return [...by].map(([transport, some]) => [transport, some.map(({ local }) => escape(local))]);
}

/** What a service has done, in a line. */
function tally(service) {
  const words = [`${number(service.accepted)} accepted`];
  const bytes = service.bytes_in + service.datagram_bytes_in;
  const out = service.bytes_out + service.datagram_bytes_out;
  words.push(`${size(bytes)} in`, `${size(out)} out`);
  if (service.datagrams_in) words.push(`${number(service.datagrams_in)} datagrams in`);
  const [refused, dropped] = [total(service.refused), total(service.dropped)];
  if (refused) words.push(`${number(refused)} refused`);
  if (dropped) words.push(`${number(dropped)} dropped`);
  return words.join(" · ");
}

class Card {
  constructor({ name }, { choose, suspend }) {
    this.pick = element("button", { type: "button", class: "pick", onclick: () => choose(name),
      title: "Show only this service’s" }, element("bdi", { class: "name" }, escape(name)));
    this.state = element("span", { class: "state" });
    this.places = element("dl", { class: "places" });
    this.tally = element("p", { class: "tally" });
    this.suspend = element("button", { type: "button", class: "quiet", onclick: suspend });
    this.try = element("a", { class: "quiet", href: ofService(name) }, "Try it");
    this.element = element("li", { class: "service" },
      element("div", { class: "head" }, this.pick, this.state), this.places, this.tally,
      element("div", { class: "actions" }, this.try, this.suspend));
  }

  show(service, chosen) {
    this.element.classList.toggle("chosen", chosen);
    this.pick.setAttribute("aria-pressed", String(chosen));
    const serving = service.state === "serving";
    this.state.className = `state ${serving ? (service.open ? "open" : "closed") : "halted"}`;
    say(this.state, serving ? `${number(service.open)} open` : service.state);
    say(this.tally, tally(service));
    say(this.suspend, service.state === "suspended" ? "Resume" : "Suspend");
    const program = service.kind === "program"; // which is watched, and not ours
    this.suspend.hidden = program || service.state === "stopping";
    this.try.hidden = program;
    this.#place(service.ports);
  }

  #place(ports) {
    const text = JSON.stringify(ports);
    if (text === this.shown) return;
    this.shown = text;
    const rows = places(ports).map(([transport, addresses]) =>
      element("div", {}, element("dt", {}, transport), element("dd", {},
        ...addresses.map((address) => element("span", { class: "address" }, address)))));
    this.places.replaceChildren(...rows);
  }
}

export class Services {
  #cards = new Map();
  list = [];

  constructor(bench, filters, { problem, again }) {
    Object.assign(this, { bench, filters, problem, again });
    this.element = element("ul", { class: "services" });
  }

  async load(signal) {
    const { services } = await this.bench.get("/api/services", signal);
    this.list = services;
    this.filters.offer(services.map(({ name }) => name));
    const cards = services.map((service) => this.#card(service));
    if (cards.some((card, index) => this.element.children[index] !== card.element)) {
      this.element.replaceChildren(...cards.map((card) => card.element));
    }
    const chosen = this.filters.values.service;
    services.forEach((service, index) => cards[index].show(service, service.name === chosen));
  }

  /** What came to all of them together. */
  get totals() {
    const sum = (of) => this.list.reduce((before, service) => before + of(service), 0);
    return {
      datagrams: sum((service) => service.datagrams_in),
      refused: sum((service) => total(service.refused)),
    };
  }

  named(name) {
    return this.list.find((service) => service.name === name);
  }

  #card(service) {
    const { name } = service;
    if (!this.#cards.has(name)) {
      const choose = () => this.filters.choose(name);
      this.#cards.set(name, new Card(service, { choose, suspend: () => this.#turn(name) }));
    }
    return this.#cards.get(name);
  }

  async #turn(name) {
    const doing = this.named(name)?.state === "suspended" ? "resume" : "suspend";
    try {
      await this.bench.change(`/api/services/${encodeURIComponent(name)}/${doing}`);
      this.problem(null);
    } catch (error) {
      this.problem(error);
    }
    this.again();
  }
}
