// Server-sent events as text, cut into messages (the WHATWG's HTML standard, section 9.2.6).

/** Calls `message({id, event, data})` for each message of the text given to `feed`. */
export class Parser {
  #rest = "";
  #fields = {};

  constructor(message) {
    this.message = message;
  }

  feed(text) {
    const parts = (this.#rest + text).split("\n");
    this.#rest = parts.pop();
    for (const line of parts) this.#line(line.endsWith("\r") ? line.slice(0, -1) : line);
  }

  #line(line) {
    if (line === "") return this.#end();
    const colon = line.indexOf(":");
    if (colon === 0) return undefined; // a comment, which keeps the line alive
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    const before = name === "data" && "data" in this.#fields ? `${this.#fields.data}\n` : "";
    this.#fields[name] = before + value;
    return undefined;
  }

  #end() {
    const { id, event = "message", data } = this.#fields;
    this.#fields = {};
    if (data !== undefined) this.message({ id, event, data });
  }
}
