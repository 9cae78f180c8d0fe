// One event looked at closely: what it says, its bytes as text and hex, or its other facts.

import { escape } from "./escape.js";
import { fromBase64, hex, text } from "./bytes.js";
import { element, facts, foreign } from "./element.js";
import { counted, micro, number, since } from "./units.js";

/** Below this width, in pixels, a row of hex has 8 bytes, else 16. */
const WIDE = 560;

/** What is told elsewhere in the pane, or is no fact of the event. */
const TOLD = new Set(["event", "ns", "seq", "service", "connection", "says", "call", "bytes", "data",
  "tcp_info", "until"]);

/** `[term, value]` of the fields of `entry` that nothing else shows. */
function others(entry) {
  const rows = Object.entries(entry).filter(([name, value]) => !TOLD.has(name) && value !== null);
  return rows.map(([name, value]) => [name.replaceAll("_", " "),
    typeof value === "string" ? foreign(escape(value)) : number(value)]);
}

/** The kernel's view, as `[term, value]`. */
export function kernelRows(info) {
  return [
    ["state", info.state],
    ["rtt", `${micro(info.rtt_us)} ± ${micro(info.rttvar_us)}`],
    ["cwnd", `${number(info.snd_cwnd)} segments`],
    ["unacked", counted(info.unacked, "segment")],
    ["not sent", counted(info.notsent_bytes)],
    ["retransmits", `${number(info.retransmits)} now, ${number(info.total_retrans)} in all`],
  ];
}

/** What the kernel counts; SYN and FIN count as a byte each. */
const totals = (info) => [
  ["acked by the peer", counted(info.bytes_acked)], ["received", counted(info.bytes_received)],
];

export class Inspector {
  #origin = null;

  constructor() {
    this.heading = element("h3", { tabindex: "-1", id: "inspected" });
    this.body = element("div", { class: "looked" });
    const close = element("button", { type: "button", class: "quiet", "aria-label": "Close the bytes",
      onclick: () => this.close() }, "✕");
    this.element = element("section", { class: "inspector", hidden: true,
      "aria-labelledby": "inspected" },
    element("div", { class: "head" }, this.heading, close), this.body);
  }

  get open() {
    return !this.element.hidden;
  }

  /** Shows `entry`; the keyboard goes there, and back to `origin` at the end. */
  show(entry, begin, origin = null) {
    this.#origin = origin;
    this.element.hidden = false;
    const sized = entry.bytes === undefined ? "" : ` · ${counted(entry.bytes)}`;
    const timed = entry.ns === undefined ? "" : ` · ${since(entry.ns, begin)} s`;
    this.heading.textContent = entry.event + sized + timed;
    this.body.replaceChildren(this.#says(entry), ...this.#facts(entry), ...this.#bytes(entry));
    this.body.scrollTop = 0;
    if (origin) this.heading.focus({ preventScroll: true });
  }

  close() {
    if (!this.open) return false;
    this.element.hidden = true;
    this.#origin?.focus();
    return true;
  }

  #says({ says, call }) {
    const named = call ? element("code", { class: "call" }, call) : null;
    return element("p", { class: "says" }, foreign(says ?? ""), " ", named);
  }

  #facts(entry) {
    const rows = others(entry);
    const shown = rows.length ? [facts(rows)] : [];
    if (entry.tcp_info) {
      shown.push(element("h4", {}, "The kernel’s last view"), 
        facts([...kernelRows(entry.tcp_info), ...totals(entry.tcp_info)]));
    }
    return shown;
  }

  #bytes({ event, bytes, data }) {
    if (bytes === undefined || event === "datagram-dropped") return [];
    const kept = fromBase64(data ?? "");
    const width = this.element.clientWidth < WIDE ? 8 : 16;
    const said = kept.length < bytes ? [element("p", { class: "cut" }, cut(kept.length, bytes))] : [];
    if (kept.length === 0) return said;
    return [...said, element("div", { class: "bytes" }, text(kept),
      element("pre", { class: "hex", tabindex: "0", "aria-label": "As hex and ASCII" },
        hex(kept, width)))];
  }
}

/** What is missing of a run of `bytes`, of which `kept` are there. */
export const cut = (kept, bytes) =>
  kept === 0
    ? `None of the ${counted(bytes)} was kept.`
    : `Cut by the capture limit: the first ${number(kept)} of ${counted(bytes)}.`;
