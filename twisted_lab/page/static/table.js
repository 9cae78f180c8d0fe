// A table that changes in place: what stays the same is not touched, and the keyboard walks it.

import { element, say } from "./element.js";

/** `columns` are `{title, name, of(item), mark?(item), foreign?}`: a cell's text, and the class
 * that tells its state. `key(item)` names a row; `href(item)`, if any, is where its first cell
 * leads. */
export class Table {
  #rows = new Map();
  #current = null;

  constructor(label, columns, { key, href = null }) {
    Object.assign(this, { columns, key, href });
    const head = columns.map(({ title, name }) =>
      element("th", { scope: "col", role: "columnheader", class: `of-${name}` }, title));
    this.body = element("tbody", { role: "rowgroup" });
    this.element = element("table", { class: "list", role: "table", "aria-label": label },
      element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, ...head)), this.body);
    this.body.addEventListener("click", (event) => this.#clicked(event));
    this.body.addEventListener("keydown", (event) => this.#pressed(event));
  }

  /** Shows `items`, in this order, and nothing else. */
  show(items) {
    const seen = new Set();
    let place = this.body.firstElementChild;
    for (const item of items) {
      const row = this.#row(item);
      seen.add(this.key(item));
      if (row === place) place = place.nextElementSibling;
      else this.#move(row, place);
    }
    for (const [key, row] of this.#rows) {
      if (!seen.has(key)) {
        row.remove();
        this.#rows.delete(key);
      }
    }
    this.#mark();
  }

  /** Marks the row of `key` as the one that is open; null for none. */
  open(key) {
    this.#current = key;
    this.#mark();
  }

  /** Puts the keyboard on the row of `key`, or else the first. */
  focus(key) {
    const row = this.#rows.get(key) ?? this.body.firstElementChild;
    row?.querySelector("a")?.focus();
  }

  #row(item) {
    const key = this.key(item);
    const row = this.#rows.get(key) ?? this.#made(item);
    this.#rows.set(key, row);
    this.columns.forEach((column, index) => this.#write(row.cells[index], column, item));
    return row;
  }

  #made(item) {
    const cells = this.columns.map(({ name, foreign }) =>
      element("td", { role: "cell", class: `of-${name}` }, foreign ? element("bdi") : null));
    if (this.href) {
      cells[0].append(element("a", { href: this.href(item) }));
    }
    return element("tr", { role: "row" }, ...cells);
  }

  #write(cell, { name, of, mark, foreign }, item) {
    const text = of(item);
    say(cell.querySelector("a, bdi") ?? cell, text);
    if (mark) cell.className = `of-${name} ${mark(item)}`;
    if (foreign && cell.title !== text) cell.title = text;
  }

  /** Moving a row takes the focus off it: give it back. */
  #move(row, place) {
    const focused = row.contains(document.activeElement) ? document.activeElement : null;
    this.body.insertBefore(row, place);
    focused?.focus({ preventScroll: true });
  }

  #mark() {
    for (const [key, row] of this.#rows) {
      const link = row.querySelector("a");
      if (key === this.#current) link?.setAttribute("aria-current", "true");
      else link?.removeAttribute("aria-current");
      row.classList.toggle("current", key === this.#current);
    }
  }

  #clicked(event) {
    if (event.target.closest("a") || !getSelection().isCollapsed) return;
    event.target.closest("tr")?.querySelector("a")?.click();
  }

  #pressed(event) {
    const row = event.target.closest("tr");
    const next = {
      ArrowDown: row?.nextElementSibling,
      ArrowUp: row?.previousElementSibling,
      Home: this.body.firstElementChild,
      End: this.body.lastElementChild,
    }[event.key];
    if (!(event.key in { ArrowDown: 1, ArrowUp: 1, Home: 1, End: 1 })) return;
    event.preventDefault();
    next?.querySelector("a")?.focus();
  }
}
