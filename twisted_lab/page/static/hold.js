// The view held still: what a person looks at does not move until they say so.

/** Tells of `change` when it is held or let go, and of `count` when more is held back. */
export class Hold extends EventTarget {
  held = false;
  since = null;
  counts = new Map();

  toggle() {
    this.held = !this.held;
    this.since = this.held ? new Date() : null;
    this.counts.clear();
    this.dispatchEvent(new Event("change"));
  }

  /** `n` more of `what` are held back. */
  count(what, n = 1) {
    this.counts.set(what, (this.counts.get(what) ?? 0) + n);
    this.dispatchEvent(new Event("count"));
  }
}
