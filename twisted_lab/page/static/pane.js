// The pane beside the lists, in which one thing is opened.

import { ConnectionDetail } from "./connection.js";
import { element, say } from "./element.js";
import { ServicePane } from "./service.js";
import { TalkDetail } from "./talk.js";

export class Pane {
  content = null;
  place = null;

  constructor(node, { bench, hold, services, problem, leave }) {
    Object.assign(this, { node, bench, hold, services, problem });
    this.heading = element("h2", { tabindex: "-1", id: "opened" });
    this.state = element("span", { class: "state" });
    this.actions = element("div", { class: "actions" });
    const shut = element("button", { type: "button", class: "quiet", onclick: leave,
      "aria-label": "Close this view" }, "✕");
    this.head = element("header", {}, this.heading, this.state, this.actions, shut);
    node.setAttribute("aria-labelledby", "opened");
  }

  /** Opens what `place` names: `{kind, id}` of an address. */
  open(place) {
    if (this.place?.kind === place.kind && this.place.id === place.id) return;
    this.close();
    this.place = place;
    this.content = this.#made(place);
    this.node.replaceChildren(this.head, this.content.element);
    this.node.hidden = false;
    this.content.start();
    this.#name(this.content);
  }

  close() {
    this.content?.stop();
    this.content = null;
    this.place = null;
    this.node.hidden = true;
    this.node.replaceChildren();
    document.title = "socketlab";
  }

  /** Escape: the bytes first, then the pane. True when it was the bytes. */
  back() {
    return this.content?.inspector?.close() ?? false;
  }

  #made({ kind, id }) {
    if (kind === "service") return new ServicePane(id, this.services);
    const { bench, hold, problem } = this;
    const options = { hold, problem, changed: (content) => this.#name(content) };
    return kind === "talk" ? new TalkDetail(bench, id, options) : new ConnectionDetail(bench, id, options);
  }

  #name(content) {
    say(this.heading, content.title);
    say(this.state, content.state ?? "");
    this.state.className = content.mark ?? "state none";
    const same = content.actions.every((button) => button.parentNode === this.actions);
    if (!same || !content.actions.length) this.actions.replaceChildren(...content.actions);
    document.title = `${content.title} – socketlab`;
  }
}
