"""What Prometheus reads: requests, times, queues, batches. No label holds anything that a user has sent."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
TEXTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class ServiceMetrics:
    """The metrics of one service, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "malmoi_requests", "Requests that have ended.", ["path", "status"], registry=self.registry
        )
        self.request_seconds = Histogram(
            "malmoi_request_seconds",
            "From the head of a request to the end of its answer.",
            ["path"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.in_flight = Gauge("malmoi_requests_in_flight", "Requests that have not ended.", registry=self.registry)
        self.texts = Counter("malmoi_texts", "Texts that a model has answered.", ["model"], registry=self.registry)
        self.characters = Counter("malmoi_characters", "Characters of these.", ["model"], registry=self.registry)
        self.round_texts = Histogram(
            "malmoi_batch_texts",
            "Texts that a model answered together.",
            ["model"],
            buckets=TEXTS,
            registry=self.registry,
        )
        self.round_seconds = Histogram(
            "malmoi_batch_seconds", "Seconds that it took.", ["model"], buckets=SECONDS, registry=self.registry
        )
        self.queue_characters = Gauge(
            "malmoi_queue_characters", "Characters that wait for a model.", ["model"], registry=self.registry
        )
        self.queue_requests = Gauge(
            "malmoi_queue_requests", "Requests that wait for a model.", ["model"], registry=self.registry
        )

    def observer(self, model: str) -> Callable[[int, int, float], None]:
        """Return what notes what a model has answered at once: texts, characters, seconds."""
        texts, characters = self.texts.labels(model), self.characters.labels(model)
        round_texts, round_seconds = self.round_texts.labels(model), self.round_seconds.labels(model)

        def observe(count: int, length: int, seconds: float) -> None:
            texts.inc(count)
            characters.inc(length)
            round_texts.observe(count)
            round_seconds.observe(seconds)

        return observe

    def watch_queue(self, model: str, characters: Callable[[], int], requests: Callable[[], int]) -> None:
        """Show the queue of a model as it is whenever the metrics are read."""
        self.queue_characters.labels(model).set_function(characters)
        self.queue_requests.labels(model).set_function(requests)

    def as_text(self) -> bytes:
        """Return all metrics in the format of Prometheus."""
        return generate_latest(self.registry)
