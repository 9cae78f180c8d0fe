// The events of one connection or datagram peer as a list: what screen readers get.

import { escape } from "./escape.js";
import { fromBase64 } from "./bytes.js";
import { element, foreign } from "./element.js";
import { counted, number, since } from "./units.js";

/** How many are shown: the first, which tell how it began, and the last. */
const BEGIN = 20;
const MOST = 500;

/** Bytes of a run that are shown in its line. */
const GLIMPSE = 48;

/** Which way an event goes, between the peer (left) and the bench (right). */
const WAY = {
  accepted: "→", received: "→", "peer-shutdown": "→", "datagram-received": "→",
  connected: "←", sent: "←", "local-shutdown": "←", "datagram-sent": "←",
  "datagram-dropped": "×", refused: "×", closed: "■", paused: "‖", resumed: "▸", gap: "⋯",
};

/** These carry bytes, or would if any were captured; a datagram that was dropped has only a size. */
const RUNS = new Set(["received", "sent", "datagram-received", "datagram-sent"]);

export class Entries {
  #pending = [];
  #frame = 0;
  #left = 0;
  #begin = 0;

  /** `pick(entry, origin)` hears which byte run was chosen. */
  constructor({ pick }) {
    this.pick = pick;
    this.list = element("ol", { class: "entries", "aria-label": "Events" });
    this.omitted = element("li", { class: "omitted" });
    this.element = element("div", { class: "scroll" }, this.list);
    this.list.addEventListener("keydown", (event) => this.#pressed(event));
  }

  /** Begins anew with `entries`; times count from `begin` (ns). */
  show(entries, begin) {
    this.#begin = begin;
    this.#left = 0;
    this.#pending = [];
    this.list.replaceChildren();
    this.#add(entries);
  }

  /** Adds `entries` with the next frame. */
  append(entries) {
    this.#pending.push(...entries);
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      const follow = this.#atEnd();
      this.#add(this.#pending.splice(0));
      if (follow) this.element.scrollTop = this.element.scrollHeight;
    });
  }

  #atEnd() {
    const { scrollTop, scrollHeight, clientHeight } = this.element;
    return scrollTop > 0 && scrollHeight - scrollTop - clientHeight < 40;
  }

  /** Only those that will stay are made: a burst costs no more than a full list. */
  #add(entries) {
    const room = Math.max(0, BEGIN - this.list.childElementCount);
    const last = entries.slice(room).slice(-(MOST - BEGIN));
    this.#left += entries.length - Math.min(room, entries.length) - last.length;
    const made = [...entries.slice(0, room), ...last].map((entry) => this.#item(entry));
    this.list.append(...made);
    this.#shorten();
  }

  #shorten() {
    const here = this.omitted.isConnected ? 1 : 0;
    const over = this.list.childElementCount - here - MOST;
    for (let i = 0; i < over; i += 1) this.list.children[BEGIN + here].remove();
    this.#left += Math.max(0, over);
    if (this.#left === 0) return;
    if (!here) this.list.insertBefore(this.omitted, this.list.children[BEGIN]);
    this.omitted.textContent =
      `${counted(this.#left, "event is", "events are")} left out here: the list keeps ${MOST}.`;
  }

  #item(entry) {
    const { event, ns, says, call, place } = entry;
    const named = element("span", { class: "what" },
      element("span", { class: "way", "aria-hidden": "true" }, WAY[event] ?? "·"), event);
    return element("li", { class: `entry ${event} ${entry.direction ?? ""}` },
      element("span", { class: "when" }, since(ns, this.#begin)), named,
      element("span", { class: "size" }, this.#size(entry)),
      element("code", { class: "call" }, [place, call].filter(Boolean).map(escape).join("  ")),
      element("span", { class: "says" }, foreign(says ?? "")),
      RUNS.has(event) ? this.#run(entry) : null);
  }

  #size({ event, bytes, data }) {
    if (!RUNS.has(event)) return bytes ? counted(bytes) : "";
    const kept = fromBase64(data ?? "").length;
    return kept < bytes ? `${counted(bytes)}, ${number(kept)} kept` : counted(bytes);
  }

  #run(entry) {
    const kept = fromBase64(entry.data ?? "");
    const words = kept.length ? escape(kept, GLIMPSE) : "bytes not kept";
    const button = element("button", { type: "button", class: "run",
      onclick: () => this.pick(entry, button) },
    element("bdi", { class: kept.length ? "" : "none" }, words));
    return button;
  }

  #pressed(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.target.className !== "run") return;
    event.preventDefault();
    const runs = [...this.list.querySelectorAll(".run")];
    runs[runs.indexOf(event.target) + step]?.focus();
  }
}
