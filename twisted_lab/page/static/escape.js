// Text from a peer, made safe to show: the same rules as twisted_lab/escaping.py, held to it by a
// test. One line in, one line out; what is shown can be told from what was meant.

/** How much of one field of a peer's text is shown, in bytes or characters. */
export const SHOWN = 200;

// Controls, backslash, bidirectional controls (UAX #9) and other invisible formatters, and lone
// surrogates, which stand for the bytes that were not UTF-8. With /u a pair is one character.
const UNSAFE =
  /[\x00-\x1f\x7f-\x9f\\\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]/gu;

/** What Python and C write shorter. */
const SHORT = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function visible(character) {
  if (character in SHORT) return SHORT[character];
  const code = character.codePointAt(0);
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`;
  const digits = code.toString(16);
  return code < 0x80 ? `\\x${digits.padStart(2, "0")}` : `\\u${digits.padStart(4, "0")}`;
}

const continues = (byte) => byte >= 0x80 && byte <= 0xbf;

/** How many bytes the UTF-8 character at `at` has, or 0 where none is (RFC 3629, section 4). */
function width(bytes, at) {
  const first = bytes[at];
  if (first < 0x80) return 1;
  const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  for (let i = 1; i < length; i += 1) if (!continues(bytes[at + i])) return 0;
  const second = bytes[at + 1];
  const least = { 0xe0: 0xa0, 0xf0: 0x90 }[first] ?? 0x80;
  const most = { 0xed: 0x9f, 0xf4: 0x8f }[first] ?? 0xbf;
  return length && second >= least && second <= most ? length : 0;
}

/** `bytes` as text; one that is not UTF-8 becomes a lone surrogate (Python's surrogateescape). */
export function decode(bytes) {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let text = "";
  let begin = 0;
  for (let at = 0; at < bytes.length; ) {
    const step = width(bytes, at);
    if (step) {
      at += step;
    } else {
      text += decoder.decode(bytes.subarray(begin, at)) + String.fromCharCode(0xdc00 + bytes[at]);
      at += 1;
      begin = at;
    }
  }
  return text + decoder.decode(bytes.subarray(begin));
}

function cut(text, limit) {
  if (text instanceof Uint8Array) {
    return decode(text.subarray(0, limit)) + (text.length > limit ? "…" : "");
  }
  if (text.length <= limit) return text;
  const characters = Array.from(text);
  return characters.slice(0, limit).join("") + (characters.length > limit ? "…" : "");
}

/** `text` (a string, or a Uint8Array) on one safe line, cut after `limit` with `…`. */
export function escape(text, limit = SHOWN) {
  return cut(text, limit).replace(UNSAFE, visible);
}

/** The pieces of safe lines of `text`, each `[piece, escaped?]`; a line ends after its LF. */
export function lines(text) {
  return text.split(/(?<=\n)/u).map((line) => pieces(line));
}

function pieces(line) {
  const found = [];
  let begin = 0;
  for (const match of line.matchAll(UNSAFE)) {
    if (match.index > begin) found.push([line.slice(begin, match.index), false]);
    found.push([visible(match[0]), true]);
    begin = match.index + match[0].length;
  }
  if (begin < line.length) found.push([line.slice(begin), false]);
  return found;
}
