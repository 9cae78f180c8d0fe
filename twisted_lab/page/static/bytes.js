// Bytes that moved on a socket, as a person reads them: text, and hex with ASCII.

import { decode, lines } from "./escape.js";
import { element } from "./element.js";

/** The bytes of `base64`. */
export function fromBase64(base64) {
  const text = atob(base64);
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

const printable = (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".");

function row(bytes, at, width) {
  const some = bytes.subarray(at, at + width);
  const hex = Array.from(some, (byte) => byte.toString(16).padStart(2, "0"));
  const halves = [hex.slice(0, 8).join(" "), hex.slice(8).join(" ")].filter(Boolean).join("  ");
  const columns = width * 3 - 1 + (width > 8 ? 1 : 0);
  const offset = at.toString(16).padStart(4, "0");
  return `${offset}  ${halves.padEnd(columns)}  ${Array.from(some, printable).join("")}`;
}

/** Rows of `width` bytes: offset, hex, ASCII with a dot for the rest. */
export function hex(bytes, width) {
  const rows = [];
  for (let at = 0; at < bytes.length; at += width) rows.push(row(bytes, at, width));
  return rows.join("\n");
}

/** Lines of safe text; what was escaped is set apart. */
export function text(bytes) {
  const shown = element("pre", { class: "text", tabindex: "0", "aria-label": "As text" });
  for (const line of lines(decode(bytes))) {
    const parts = line.map(([piece, escaped]) =>
      escaped ? element("span", { class: "control" }, piece) : piece);
    shown.append(element("span", { class: "line" }, ...parts), "\n");
  }
  return shown;
}
