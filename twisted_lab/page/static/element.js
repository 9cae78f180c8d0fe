// Elements made from text alone: a string becomes a text node, never markup.

const SVG = "http://www.w3.org/2000/svg";

/** `<tag>` with `attributes` (`onclick` and its kind are listeners, `class` as written; null and
 * false are left out) and `children`, nodes or text. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** A list of terms: each of `rows` is `[term, text or node]`; rows without a value are left out. */
export function facts(rows) {
  const shown = rows.filter(([, value]) => value !== undefined && value !== null && value !== "");
  const pair = ([term, value]) =>
    element("div", {}, element("dt", {}, term), element("dd", {}, value));
  return element("dl", { class: "facts" }, ...shown.map(pair));
}

/** Shows `rows` in `node`; a value that stays the same is not touched, nor is a selection in it. */
export function refresh(node, rows) {
  if (rows.length === 0) {
    node.replaceChildren();
    return;
  }
  const made = facts(rows);
  const terms = (list) => Array.from(list?.querySelectorAll("dt") ?? [], (term) => term.textContent);
  const shown = node.firstElementChild;
  if (!shown || terms(shown).join("\n") !== terms(made).join("\n")) {
    node.replaceChildren(made);
    return;
  }
  const values = made.querySelectorAll("dd");
  shown.querySelectorAll("dd").forEach((value, index) => {
    if (value.textContent !== values[index].textContent) value.replaceWith(values[index]);
  });
}

/** Writes `text` into `node` where it says something else; what stays the same is not laid out. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Text of a peer: kept apart from the words around it, whatever its direction. */
export function foreign(text, attributes = {}) {
  return element("bdi", { class: "foreign", ...attributes }, text);
}

/** Parses `text` as SVG and gives its root, ready to stand in the page; null when it is none. */
export function drawing(text) {
  const parsed = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  return parsed.namespaceURI === SVG ? document.importNode(parsed, true) : null;
}
