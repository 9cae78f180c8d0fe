// The bench's event stream, kept open: it comes back after a loss and takes up where it was.

import { Refusal } from "./bench.js";
import { Parser } from "./sse.js";

/** The longest wait between two tries, in milliseconds. */
const LONGEST = 5000;
const SHORTEST = 250;

/** The bench says that it lives every 10 s; after twice that and some nobody is there. */
const SILENT = 25_000;

const visible = () => document.visibilityState === "visible";

/** `GET /api/events?query`, while the page is seen. `entry(entry)` gets each event or gap,
 * `opened()` hears that the stream is there, `refused(error)` that it was not given. A hidden page
 * holds none: a browser has only six for one address. */
export class Stream {
  #abort = null;
  #last = null;
  #tries = 0;
  #timer = 0;
  #stopped = false;

  constructor(bench, query, { entry, opened = () => {}, refused = () => {} }) {
    Object.assign(this, { bench, query, entry, opened, refused });
    this.look = () => (visible() ? this.#open() : this.#shut());
    document.addEventListener("visibilitychange", this.look);
    this.look();
  }

  /** What came up to `seq` is known: resume after it. */
  from(seq) {
    this.#last ??= String(seq);
  }

  stop() {
    this.#stopped = true;
    document.removeEventListener("visibilitychange", this.look);
    this.#shut();
  }

  #shut() {
    clearTimeout(this.#timer);
    this.#abort?.abort();
    this.#abort = null;
  }

  async #open() {
    if (this.#abort || this.#stopped) return;
    const abort = new AbortController();
    this.#abort = abort;
    try {
      await this.#read(abort);
    } catch (error) {
      // A loss is said by the bench's own `silent`; an abort is ours.
      if (error instanceof Refusal) this.refused(error);
    }
    if (this.#abort === abort) this.#again();
  }

  #again() {
    this.#abort = null;
    const wait = Math.min(LONGEST, SHORTEST * 2 ** this.#tries);
    this.#tries += 1;
    this.#timer = setTimeout(this.look, wait);
  }

  async #read(abort) {
    const headers = this.#last === null ? {} : { "Last-Event-ID": this.#last };
    const path = `/api/events?${new URLSearchParams(this.query)}`;
    const response = await this.bench.fetch(path, { headers, signal: abort.signal });
    this.#tries = 0;
    this.opened();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const parser = new Parser((message) => this.#message(message));
    for (;;) {
      const dead = setTimeout(() => abort.abort(), SILENT);
      try {
        const { done, value } = await reader.read();
        if (done) return;
        parser.feed(value);
      } finally {
        clearTimeout(dead);
      }
    }
  }

  #message({ id, event, data }) {
    const entry = JSON.parse(data);
    if (event === "end") {
      this.bench.silent(entry.why);
      return;
    }
    if (id !== undefined) this.#last = id;
    this.entry(entry);
  }
}
