"""The catalogue of metrics is what is answered, and what its page says."""

from __future__ import annotations

import re

from prometheus_client.openmetrics.parser import text_string_to_metric_families as read
from twisted.trial.unittest import SynchronousTestCase

from tests.test_docs import page, words
from tests.test_metrics import OPENMETRICS, MetricsTestCase
from twisted_lab.events import Refused
from twisted_lab.metric_families import CATALOGUE, Metric
from twisted_lab.scrape import ServiceView


def named(metric: Metric) -> set[str]:
    """The names of its series."""
    if metric.kind == "histogram":
        return {f"{metric.name}_{end}" for end in ("bucket", "count", "sum")}
    return {metric.shown}


class CatalogueTests(MetricsTestCase):
    def test_answered(self) -> None:
        """An answer has each metric, of the type, unit, labels and meaning it should have."""
        self.views = [ServiceView("echo", datagrams=True, dropped={"kernel": 1})]
        self.tell(Refused(1, "echo", "x:1", "x:7", "access"))
        answered = {
            family.name: family for family in read(self.metrics.exposition(OPENMETRICS)[1].decode())
        }
        self.assertEqual(list(answered), [metric.name for metric in CATALOGUE])
        for metric in CATALOGUE:
            family = answered[metric.name]
            self.assertEqual(
                (family.type, family.unit, family.documentation),
                (metric.kind, metric.unit, metric.meaning),
            )
            self.assertEqual({sample.name for sample in family.samples}, named(metric))
            if metric.kind != "info":
                labels = {name for sample in family.samples for name in sample.labels} - {"le"}
                self.assertEqual(labels, set(metric.labels))

    def test_names(self) -> None:
        """Names begin with socketlab_, end in their unit, and none is another's series."""
        series = [name for metric in CATALOGUE for name in named(metric)]
        self.assertEqual(len(series), len(set(series)))
        for metric in CATALOGUE:
            self.assertRegex(metric.name, "^socketlab_[a-z_]+$")
            self.assertTrue(metric.name.endswith(metric.unit))


class PageTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.page = page("docs/metrics.md")

    def test_table(self) -> None:
        """Each metric has its row, with its type, unit and labels; no row is of the past."""
        rows = re.findall(
            r"^\| `(socketlab_\w+)` \| (\w+) \| (\w*) ?\| (.*?) ?\| .+ \|$", self.page, re.MULTILINE
        )
        said = [(name, kind, unit, words(labels)) for name, kind, unit, labels in rows]
        self.assertEqual(
            said, [(one.shown, one.kind, one.unit, set(one.labels)) for one in CATALOGUE]
        )

    def test_queries(self) -> None:
        """There is a query for each metric, and every name in one is a metric's."""
        queries = self.page.partition("## Queries")[2]
        used = set(re.findall(r"socketlab_\w+", queries))
        every = {name for metric in CATALOGUE for name in named(metric)}
        self.assertLessEqual(used, every)
        for metric in CATALOGUE:
            self.assertTrue(used & named(metric), metric.name)
