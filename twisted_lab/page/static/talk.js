// One datagram peer opened: it has no state and no end.

import { Detail } from "./detail.js";
import { foreign } from "./element.js";
import { escape } from "./escape.js";
import { counted, duration } from "./units.js";

export class TalkDetail extends Detail {
  constructor(bench, id, options) {
    super(bench, id, { ...options, list: "/api/datagrams", query: { talk: id }, name: "talk" });
  }

  begin(talk) {
    return talk.first_ns;
  }

  apply(talk, { event, bytes = 0, count = 1 }) {
    if (event === "datagram-received") {
      talk.datagrams_in += 1;
      talk.bytes_in += bytes;
    }
    if (event === "datagram-sent") {
      talk.datagrams_out += 1;
      talk.bytes_out += bytes;
    }
    if (event === "datagram-dropped") talk.dropped += count;
  }

  rows(talk) {
    return [
      ["peer", foreign(escape(talk.peer))], ["local", foreign(escape(talk.local))],
      ["in", `${counted(talk.datagrams_in, "datagram")}, ${counted(talk.bytes_in)}`],
      ["out", `${counted(talk.datagrams_out, "datagram")}, ${counted(talk.bytes_out)}`],
      ["dropped", counted(talk.dropped, "datagram")],
      ["between first and last", duration((talk.last_ns - talk.first_ns) / 1e9)],
    ];
  }

  told(talk) {
    this.title = `${this.id} · ${escape(talk.service)}, datagrams`;
  }
}
