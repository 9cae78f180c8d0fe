// A question asked again and again, never faster than its answers come.

import { Refusal, Silence } from "./bench.js";

/** Milliseconds between two runs at least, and how many times the last one's length. */
const LEAST = 100;
const SHARE = 4;

/** The longest wait after failures, in milliseconds. */
const LONGEST = 5000;

/** Runs `task(signal)` every `every` milliseconds (null: only when nudged) while the page is seen
 * and nothing is held. A task that fails is asked again later; `failed(error)` hears why. */
export class Poll {
  #timer = 0;
  #due = Infinity;
  #ended = 0;
  #took = 0;
  #failures = 0;
  #wanted = false;
  #abort = null;
  #stopped = false;

  constructor(task, { every = null, hold = null, failed = () => {} } = {}) {
    Object.assign(this, { task, every, hold, failed });
    this.wake = () => {
      if (!this.#resting()) this.now();
    };
    document.addEventListener("visibilitychange", this.wake);
    hold?.addEventListener("change", this.wake);
    this.#run();
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#abort?.abort();
    document.removeEventListener("visibilitychange", this.wake);
    this.hold?.removeEventListener("change", this.wake);
  }

  /** Something happened: run soon. */
  nudge() {
    const earliest = this.#ended + Math.max(LEAST, SHARE * this.#took);
    this.#plan(Math.max(earliest, performance.now() + LEAST));
  }

  /** Somebody asked: run at once, also while the view is held. */
  now() {
    if (this.#abort) this.#wanted = true;
    else this.#run();
  }

  #resting() {
    return document.visibilityState === "hidden" || Boolean(this.hold?.held);
  }

  #plan(due) {
    if (this.#stopped || this.#abort || due >= this.#due) {
      if (this.#abort) this.#wanted = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => this.#turn(), Math.max(0, due - performance.now()));
  }

  #turn() {
    this.#due = Infinity;
    if (!this.#resting()) this.#run();
  }

  async #run() {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#due = Infinity;
    this.#wanted = false;
    this.#abort = new AbortController();
    const begin = performance.now();
    try {
      await this.task(this.#abort.signal);
      this.#failures = 0;
    } catch (error) {
      if (!this.#stopped) this.#failed(error);
    }
    this.#abort = null;
    this.#ended = performance.now();
    this.#took = this.#ended - begin;
    this.#next();
  }

  #failed(error) {
    if (error.name === "AbortError") return;
    this.#failures += 1;
    if (!(error instanceof Refusal || error instanceof Silence)) reportError(error);
    this.failed(error);
  }

  #next() {
    if (this.#wanted) this.nudge();
    const every = this.#failures ? (this.every ?? 1000) : this.every;
    if (every !== null) this.#plan(this.#ended + Math.min(LONGEST, every * 2 ** this.#failures));
  }
}
