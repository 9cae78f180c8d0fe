// The bench, asked over HTTP: what it answers, what it refuses, and whether it answers at all.

import { MISSING, token } from "./token.js";

/** What the bench refused, in its own sentence. */
export class Refusal extends Error {
  constructor(sentence, status) {
    super(sentence);
    this.status = status;
  }
}

/** The bench did not answer. */
export class Silence extends Error {
  constructor() {
    super("The bench does not answer.");
  }
}

async function sentence(response) {
  try {
    return (await response.json()).error;
  } catch {
    return `The bench answered ${response.status} ${response.statusText}.`;
  }
}

/** Tells of `answering` and `silent` when the one follows the other; `why` says what it knows. */
export class Bench extends EventTarget {
  #answers = true;
  #ns = 0;
  #read = 0;
  why = "";

  /** GET: a JSON value. Throws Refusal or Silence. */
  async get(path, signal) {
    const answer = await (await this.fetch(path, { signal })).json();
    if (typeof answer.ns === "number") this.#set(answer.ns);
    return answer;
  }

  /** GET: text. */
  async text(path, signal) {
    return (await this.fetch(path, { signal })).text();
  }

  /** POST, with the token; what it answered. */
  async change(path) {
    if (!token()) throw new Refusal(MISSING, 401);
    const headers = { "Content-Type": "application/json" };
    return (await this.fetch(path, { method: "POST", headers, body: "{}" })).json();
  }

  /** fetch() with the token, which reading needs beyond loopback; its failures are Refusal and
   * Silence, an abort stays what it is. */
  async fetch(path, options) {
    const secret = token() ? { Authorization: `Bearer ${token()}` } : {};
    const headers = { ...options.headers, ...secret };
    let response;
    try {
      response = await fetch(path, { ...options, headers });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      this.silent();
      throw new Silence();
    }
    if (!response.ok) throw new Refusal(await sentence(response), response.status);
    this.#answered();
    return response;
  }

  /** Nanoseconds since the bench started, by its last answer and our clock since. */
  get ns() {
    return this.#ns + (performance.now() - this.#read) * 1e6;
  }

  #set(ns) {
    this.#ns = ns;
    this.#read = performance.now();
  }

  #answered() {
    if (this.#answers) return;
    this.#answers = true;
    this.why = "";
    this.dispatchEvent(new Event("answering"));
  }

  /** It does not answer, or said `why` it will not. */
  silent(why = "") {
    if (why) this.why = why;
    if (!this.#answers) return;
    this.#answers = false;
    this.dispatchEvent(new Event("silent"));
  }
}
