// The words of an end, and which of them say that something went wrong.

/** Every close reason, as twisted_lab/events.py has them; held to it by a test. */
export const REASONS = {
  "peer-fin": "the peer sent FIN first",
  local: "the service closed first",
  reset: "the peer sent RST, or the network gave up",
  idle: "nothing moved for too long",
  slow: "slower than the least rate",
  stalled: "the peer took none of the bytes that waited for it",
  lifetime: "it was open for as long as any may be",
  handshake: "TLS did not come up",
  truncated: "FIN without TLS close_notify: bytes may be missing",
  limit: "over a limit of bytes or of a line",
  drain: "the bench stops",
  fault: "a fault on purpose",
  error: "the service raised an exception",
  aborted: "the service sent RST",
};

const ORDERLY = new Set(["peer-fin", "local", "drain"]);

/** The class of a connection's state: its shape, and the colour of an end that was no orderly one. */
export function mark({ state, reason }) {
  const rough = reason && !ORDERLY.has(reason);
  return `state ${state}${rough ? " rough" : ""}`;
}
