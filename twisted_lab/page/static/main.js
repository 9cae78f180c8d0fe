// Wires the page: what is asked when, where it is shown, and what the keyboard does.

import { go, parse } from "./address.js";
import { Bench, Refusal } from "./bench.js";
import { Connections } from "./connections.js";
import { Datagrams } from "./datagrams.js";
import { say } from "./element.js";
import { escape } from "./escape.js";
import { Filters } from "./filters.js";
import { Findings } from "./findings.js";
import { Hold } from "./hold.js";
import { listen } from "./keys.js";
import { Problem, Standing } from "./notice.js";
import { Pane } from "./pane.js";
import { Poll } from "./poll.js";
import { Refusals } from "./refusals.js";
import { Services } from "./services.js";
import { Stream } from "./stream.js";
import { take } from "./token.js";
import { number } from "./units.js";

const EVERY = 1000;
const LIFE = "listening,not-listening,accepted,connected,refused,closed";

const here = (id) => document.getElementById(id);

const bench = new Bench();
const hold = new Hold();
const problem = new Problem();
const tell = (error) => problem.tell(error);
const again = () => { polls.forEach((poll) => poll.now()); };

const filters = new Filters({ changed: again });
const services = new Services(bench, filters, { problem: tell, again });
const lists = {
  connections: new Connections(bench, filters, { again }),
  datagrams: new Datagrams(bench, filters),
  refused: new Refusals(bench),
};
const pane = new Pane(here("pane"), { bench, hold, services, problem: tell, leave });

let list = "connections";

const findings = new Findings();
here("notices").append(new Standing(bench, hold).element, problem.element, findings.element);
here("services").append(services.element);
here("filters").append(filters.element);

/** Shows the list and opens what the address names. */
function turn() {
  take();
  const place = parse(location.hash);
  if (place === null) return;
  if (place.list) show(place.list);
  else if (place.kind === "talk") show("datagrams");
  else if (place.kind === "connection") show("connections");
  if (place.kind) pane.open(place);
  else pane.close();
  document.body.classList.toggle("opened", Boolean(place.kind));
  for (const each of Object.values(lists)) each.table.open(place.id ?? null);
}

function show(name) {
  list = name;
  if (!lists[name].element.isConnected) here("list").replaceChildren(lists[name].element);
  filters.suit(name);
  for (const link of document.querySelectorAll("#views a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  polls[0]?.now();
}

function leave() {
  go(`#${list}`);
}

async function loadList(signal) {
  const open = await lists[list].load(signal);
  if (open !== undefined) say(here("open"), number(open));
}

async function loadServices(signal) {
  await services.load(signal);
  const { datagrams, refused } = services.totals;
  say(here("datagrams-in"), datagrams ? number(datagrams) : "");
  say(here("refused-so-far"), refused ? number(refused) : "");
  pane.content?.refresh();
}

let started = null;

/** A bench that was started anew knows nothing of what we show: begin anew too. */
async function loadBench(signal) {
  const answer = await bench.get("/api/bench", signal);
  if (started !== null && answer.started !== started) location.reload();
  started = answer.started;
  say(here("about"), about(answer));
  findings.show(answer.findings);
}

/** What is shown here: a bench, or a program that is watched. */
function about({ version, reactor, draining, program }) {
  if (!program) return `${version} · ${reactor}${draining ? " · draining" : ""}`;
  const { words, status } = program;
  return `${escape(words.join(" "))} · ${status === null ? "running" : `ended with ${status}`}`;
}

function life() {
  if (hold.held) hold.count("the lists");
  else polls.forEach((poll) => poll.nudge());
}

/** A bench that is lost is said elsewhere; one that refuses to be read says why. */
function failed(error) {
  if (error instanceof Refusal) tell(error);
}

function pause() {
  hold.toggle();
  here("pause").classList.toggle("on", hold.held);
  say(here("pause"), hold.held ? "Resume" : "Pause");
}

const polls = [];
turn();
polls.push(
  new Poll(loadList, { every: EVERY, hold, failed }),
  new Poll(loadServices, { every: EVERY, hold, failed }),
);
const poll = new Poll(loadBench, { every: 5 * EVERY, failed });
new Stream(bench, { kinds: LIFE }, { entry: life, opened: () => poll.nudge() });
bench.addEventListener("answering", () => { poll.now(); again(); });

addEventListener("hashchange", () => {
  const { content, place } = pane;
  turn();
  if (pane.content && pane.content !== content) pane.heading.focus({ preventScroll: true });
  if (content && !pane.content) lists[list].table.focus(place.id);
});
here("pause").addEventListener("click", pause);
here("skip").addEventListener("click", () => lists[list].table.focus());

listen({
  "/": () => filters.peer.focus(),
  p: pause,
  Escape: () => {
    if (document.activeElement === filters.peer) filters.peer.blur();
    else if (!pane.back() && pane.content) leave();
  },
});
