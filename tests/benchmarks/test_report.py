"""The arithmetic of the benchmark's report: ratios, goals, table."""

import json

from twisted.trial.unittest import SynchronousTestCase

from benchmarks import report
from benchmarks.load import CASES, Reading
from benchmarks.subjects import SUBJECTS


def results(costs, cases=("tcp-1k-10",), subjects=("ours", "textbook"), skipped=None):
    """Results of one case from {subject: [cost of each round, None where there is none]}."""
    samples = [
        report.Sample(cases[0], subject, number, Reading(cost, 100, 0.4, 0.5))
        for subject, rounds in costs.items()
        for number, cost in enumerate(rounds, 1)
        if cost is not None
    ]
    return report.Results(
        {"kernel": "Linux 6"},
        [case for case in CASES if case.name in cases],
        [subject for subject in SUBJECTS if subject.name in subjects],
        samples,
        skipped or {},
    )


class RowTests(SynchronousTestCase):
    def test_minimum_and_median(self):
        """A row has the least, the middle and the greatest cost of its rounds."""
        row = report.row(results({"ours": [12.0, 30.0, 11.0]}), "tcp-1k-10", "ours")
        self.assertEqual((row.least, row.median, row.most, row.rounds), (11.0, 12.0, 30.0, 3))

    def test_ratio_of_minima(self):
        """One ratio compares the best round of each, whichever it was."""
        row = report.row(
            results({"ours": [12.0, 11.0], "textbook": [10.0, 20.0]}), "tcp-1k-10", "ours"
        )
        self.assertAlmostEqual(row.ratio_of_least, 1.1)

    def test_median_of_ratios(self):
        """The other compares within each round, so that a slow minute cancels out."""
        costs = {"ours": [12.0, 44.0, 11.0], "textbook": [10.0, 40.0, 10.0]}
        row = report.row(results(costs), "tcp-1k-10", "ours")
        self.assertAlmostEqual(row.median_of_ratios, 1.1)

    def test_a_round_only_one_was_measured_in(self):
        """A round without textbook takes no part in the ratios."""
        costs = {"ours": [12.0, 99.0], "textbook": [10.0, None]}
        row = report.row(results(costs), "tcp-1k-10", "ours")
        self.assertAlmostEqual(row.median_of_ratios, 1.2)

    def test_no_textbook(self):
        """Without textbook there is no ratio, and the table says so by a dash."""
        row = report.row(results({"ours": [12.0]}), "tcp-1k-10", "ours")
        self.assertIsNone(row.ratio_of_least)
        self.assertIsNone(row.median_of_ratios)
        self.assertEqual(report.cells(row, rates=False)[4:6], ["-", "-"])

    def test_no_reading(self):
        """A subject that was never measured has no row."""
        self.assertIsNone(report.row(results({}), "tcp-1k-10", "ours"))

    def test_rates(self):
        """A hundred operations in 0.4 s of CPU and 0.5 s of wall time are 250 and 200 a second."""
        row = report.row(results({"ours": [12.0]}), "tcp-1k-10", "ours")
        self.assertEqual((row.per_cpu_second, row.per_wall_second), (250.0, 200.0))
        self.assertAlmostEqual(row.busy, 0.8)


class GoalTests(SynchronousTestCase):
    def only(self, found):
        (verdict,) = report.verdicts(found)
        return verdict

    def test_held(self):
        """A ratio at its limit is held."""
        verdict = self.only(results({"ours": [11.0], "textbook": [10.0]}))
        self.assertTrue(verdict.held)
        self.assertTrue(str(verdict).startswith("held   tcp-1k-10 ours: 1.10 "))

    def test_failed(self):
        """A ratio above its limit fails, and the sentence names it."""
        verdict = self.only(results({"ours": [12.0], "textbook": [10.0]}))
        self.assertFalse(verdict.held)
        self.assertTrue(str(verdict).startswith("FAILED tcp-1k-10 ours: 1.20 "))

    def test_not_measured(self):
        """A goal that was asked for and not measured is not held, with the reason."""
        skipped = {("tcp-1k-10", "ours"): "not started: no such command"}
        verdict = self.only(results({"textbook": [10.0]}, skipped=skipped))
        self.assertFalse(verdict.held)
        self.assertIn("not measured: not started: no such command", str(verdict))

    def test_without_textbook(self):
        """Nor is one whose textbook was not measured."""
        verdict = self.only(results({"ours": [10.0]}))
        self.assertFalse(verdict.held)
        self.assertIn("not measured: textbook has no reading", str(verdict))

    def test_to_another(self):
        """A goal may be to another subject than textbook."""
        names = ("textbook+lean", "textbook", "go")
        costs = {"textbook+lean": [6.0, 5.0], "textbook": [11.0], "go": [4.0, 7.0]}
        to_textbook, to_go = report.verdicts(results(costs, subjects=names))
        self.assertTrue(to_textbook.held)
        self.assertEqual(to_textbook.figure, 5 / 11)
        self.assertFalse(to_go.held)
        self.assertIn("1.25 (goal: at most 1.05 times Go's CPU)", str(to_go))

    def test_not_asked_for(self):
        """A goal whose case or subject was not chosen is not judged."""
        self.assertEqual(report.verdicts(results({}, subjects=("textbook",))), [])

    def test_the_worst_round_counts(self):
        """Memory and the burst are promised in every round, so the worst one is judged."""
        found = results({"ours": [1000.0, 4097.0]}, cases=("idle-memory",))
        self.assertFalse(self.only(found).held)

    def test_goals_name_what_exists(self):
        """Each goal's case and subject are in the tables."""
        names = {case.name for case in CASES}, {subject.name for subject in SUBJECTS}
        for goal in report.GOALS:
            self.assertIn(goal.case, names[0])
            self.assertIn(goal.subject, names[1])


class TableTests(SynchronousTestCase):
    def test_cheapest_first(self):
        """The subjects stand in the order of their best round."""
        text = report.markdown(results({"ours": [12.0], "textbook": [10.0]}))
        self.assertLess(text.index("| textbook "), text.index("| ours "))

    def test_skipped_with_its_reason(self):
        """What was skipped is listed with why."""
        skipped = {("udp-512", "asyncio-streams"): "no datagram form"}
        text = report.markdown(results({}, skipped=skipped))
        self.assertIn("- udp-512, asyncio-streams: no datagram form", text)

    def test_rates_of_connections(self):
        """The case of whole connections also shows their rates."""
        text = report.markdown(results({"ours": [12.0]}, cases=("connect",)))
        self.assertIn("| per CPU second | per wall second |", text)
        self.assertIn("| 250 | 200 |", text)

    def test_json_has_every_sample(self):
        """The JSON has the samples, so that anyone can compute another summary."""
        found = json.loads(report.as_json(results({"ours": [12.0, 13.0]})))
        self.assertEqual([one["reading"]["cost"] for one in found["samples"]], [12.0, 13.0])
