"""What Prometheus may ask of the webhook server. Labels come from fixed lists, so that no sender can make new series."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from logkb.deliveries import Depth
from logkb.errors import StoreError

CONTENT_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)


class Metrics:
    """The counters of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.deliveries = Counter(
            "logkb_webhook_deliveries", "Deliveries by what became of the request.", ["forge", "event", "outcome"],
            registry=self.registry,
        )  # fmt: skip
        self.accept_seconds = Histogram(
            "logkb_webhook_accept_seconds", "From the request's first byte to the answer.", ["forge"],
            buckets=SECONDS, registry=self.registry,
        )  # fmt: skip
        self.comments = Counter("logkb_comments", "Work on pull requests by result.", ["forge", "action"], registry=self.registry)
        self.retries = Counter("logkb_task_retries", "Work put off, by reason.", ["forge", "reason"], registry=self.registry)
        self.dead = Counter("logkb_tasks_dead", "Work that was given up.", ["forge"], registry=self.registry)
        self.task_seconds = Histogram(
            "logkb_task_seconds", "One task, with everything that it asked the forge.", ["forge"],
            buckets=SECONDS, registry=self.registry,
        )  # fmt: skip
        self.analysis_seconds = Histogram(
            "logkb_analysis_seconds", "The analysis of one log.", buckets=SECONDS, registry=self.registry
        )

    def watch(self, depth: Callable[[], Depth]) -> None:
        """Ask for the depth of the queue at each scrape."""
        self.registry.register(_Queue(depth))

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self.registry)


class _Queue(Collector):
    def __init__(self, depth: Callable[[], Depth]) -> None:
        self._depth = depth

    def collect(self) -> Iterator[Metric]:
        try:
            depth = self._depth()
        except StoreError:
            yield GaugeMetricFamily("logkb_store_up", "Whether the store of deliveries can be read.", value=0)
            return
        yield GaugeMetricFamily("logkb_store_up", "Whether the store of deliveries can be read.", value=1)
        states = GaugeMetricFamily("logkb_deliveries_stored", "Deliveries in the store by state.", labels=["state"])
        for state, count in (("waiting", depth.waiting), ("dead", depth.dead)):
            states.add_metric([state], count)
        yield states
        yield GaugeMetricFamily("logkb_queue_tasks", "Pull requests and commits that wait for work.", value=depth.tasks)
        yield GaugeMetricFamily("logkb_queue_tasks_held", "Those of them that are being worked.", value=depth.held)
        yield GaugeMetricFamily("logkb_queue_oldest_seconds", "Age of the oldest waiting delivery.", value=depth.oldest)
