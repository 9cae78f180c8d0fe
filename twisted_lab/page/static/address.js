// What the page shows, as its address has it: reload, bookmarks and Back work.
//
// `#connections` `#datagrams` `#refused` are the lists; `#c5` one connection, `#d3` one datagram
// peer, `#service/NAME` one service.

const LISTS = new Set(["connections", "datagrams", "refused"]);

/** `{list}` or `{kind: "connection" | "talk" | "service", id}` of `hash`; null for anything else. */
export function parse(hash) {
  const word = hash.slice(1);
  if (word === "") return { list: "connections" };
  if (LISTS.has(word)) return { list: word };
  if (/^c[\w-]+$/.test(word)) return { kind: "connection", id: word };
  if (/^d[\w-]+$/.test(word)) return { kind: "talk", id: word };
  if (word.startsWith("service/")) return { kind: "service", id: named(word.slice(8)) };
  return null;
}

function named(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The address of one service. */
export const ofService = (name) => `#service/${encodeURIComponent(name)}`;

/** Goes to `hash`, as a click on a link would. */
export function go(hash) {
  location.hash = hash;
}
