"""Logs, request ids and metrics."""

import logging
import os
import re
import secrets
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal, TypeAlias, TypeVar

import orjson
import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from gql_platform import __version__
from gql_platform.errors import MetricsPortError
from gql_platform.jobs.records import Backlog
from gql_platform.settings import LogFormat, LogLevel

MetricT = TypeVar("MetricT", Counter, Gauge, Histogram)

MultiprocessMode: TypeAlias = Literal["max", "livesum", "livemin"]

METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable by which prometheus-client knows where several processes count together."""

SECONDS_BUCKETS = (
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
)  # fmt: skip
"""The bounds that OpenTelemetry's semantic conventions recommend for request durations."""

JOB_SECONDS_BUCKETS = (0.1, 1.0, 10.0, 60.0, 600.0, 3600.0, 21_600.0, 86_400.0)
"""Jobs take from moments to a day."""

# Local variables stay out of tracebacks: they hold keys and people's data.
_TRACEBACKS_AS_DATA = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


def configure_logging(*, level: LogLevel, log_format: LogFormat) -> None:
    """Send our log lines and those of the libraries to standard error, in one form.

    Args:
        level: The least severe line that is written.
        log_format: `AUTO` is readable on a terminal and JSON elsewhere.
    """
    as_json = log_format is LogFormat.JSON or (
        log_format is LogFormat.AUTO and not sys.stderr.isatty()
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendering: list[Any] = (
        [_TRACEBACKS_AS_DATA, structlog.processors.JSONRenderer(_as_json)]
        if as_json
        else [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
    )
    # Our own lines go the short way: that of the standard library takes four times as long.
    structlog.configure(
        processors=[*shared, *rendering],
        logger_factory=_NamedLogger,
        wrapper_class=structlog.make_filtering_bound_logger(level.value),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for noisy in ("alembic", "mlflow", "httpx", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))


def look_once_how_to_log() -> None:
    """Let each logger look only once how it writes, in a process that configures it only once.

    A notebook or a test, which may configure it again, does not call this.
    """
    structlog.configure(cache_logger_on_first_use=True)


class _NamedLogger(structlog.WriteLogger):
    """Write lines to standard error, as it is when the first of them is written."""

    def __init__(self, name: str = "") -> None:
        super().__init__(sys.stderr)
        self.name = name


def _as_json(event: Any, **options: Any) -> str:
    """Write what a line says as JSON; what JSON cannot say, as Python shows it."""
    return orjson.dumps(event, default=options.get("default") or repr).decode()


def request_id_of(header: str | None) -> str:
    """Return the request's id: the caller's own when it is well-formed, else a new one.

    Args:
        header: The value of ``X-Request-ID``, if the caller sent one; up to 128 letters, digits
            and ``. _ : -`` are taken over.
    """
    if header is not None and _REQUEST_ID.fullmatch(header):
        return header
    return secrets.token_hex(8)


@lru_cache(maxsize=4096)
def _labelled(metric: MetricT, *labels: str) -> MetricT:
    """Return a metric with the values of its labels; looking that up takes longer than counting."""
    return metric.labels(*labels)


def is_one_of_many() -> bool:
    """Return whether this process is one of several that serve together.

    prometheus-client keeps what is counted in files of that folder then.
    """
    return METRICS_FOLDER in os.environ


class Metrics:
    """What Prometheus reads of one server; a `ServingObserver` and an `AttemptObserver`.

    Each server has a registry of its own, so that several can live in one process.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        if not is_one_of_many():
            ProcessCollector(registry=self.registry)
            PlatformCollector(registry=self.registry)
            GCCollector(registry=self.registry)
        self._gauge("gql_platform_build_info", "The running version.", "max", "version").labels(
            __version__
        ).set(1)
        self._requests = self._histogram(
            "http_request_duration_seconds", "Duration of HTTP requests.", "method", "route", "code"
        )
        self._operations = self._histogram(
            "graphql_operation_duration_seconds",
            "Duration of GraphQL operations.",
            "operation_name",
            "operation_type",
        )
        self._graphql_errors = self._counter("graphql_errors", "Errors in GraphQL answers.", "code")
        self._predictions = self._histogram(
            "gql_platform_prediction_duration_seconds", "Duration of predictions.", "model"
        )
        self._prediction_rows = self._counter(
            "gql_platform_prediction_rows", "Rows predicted.", "model"
        )
        self._prediction_errors = self._counter(
            "gql_platform_prediction_errors", "Predictions that failed.", "model", "code"
        )
        self._in_flight = self._gauge(
            "gql_platform_predictions_in_flight", "Predictions at work.", "livesum", "model"
        )
        self._webhook_attempts = self._histogram(
            "gql_platform_webhook_attempt_duration_seconds",
            "Duration of attempts to send a message of a webhook.",
            "outcome",
        )
        self._model_up = self._gauge(
            "gql_platform_model_up",
            "1 when the version of the model is loaded, 0 when it could not be, or is no more.",
            "livemin",
            "model",
            "version",
        )

    def request_finished(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count an HTTP request under its route's pattern."""
        _labelled(self._requests, method, route, str(status)).observe(seconds)

    def operation_finished(
        self, *, name: str, operation_type: str, seconds: float, error_codes: list[str]
    ) -> None:
        """Count a GraphQL operation.

        Args:
            name: The operation's name, from a bounded set: labels must not grow with what
                callers send.
            operation_type: ``query``, ``mutation`` or ``subscription``.
            seconds: How long it took.
            error_codes: The code of each error in the answer.
        """
        _labelled(self._operations, name, operation_type).observe(seconds)
        for code in error_codes:
            _labelled(self._graphql_errors, code).inc()

    def prediction_started(self, model: str) -> None:
        """Count a prediction in flight."""
        _labelled(self._in_flight, model).inc()

    def prediction_finished(
        self, model: str, *, rows: int, seconds: float, error_code: str | None
    ) -> None:
        """Count a prediction that was answered or refused."""
        _labelled(self._in_flight, model).dec()
        if error_code is not None:
            _labelled(self._prediction_errors, model, error_code).inc()
            return
        _labelled(self._predictions, model).observe(seconds)
        _labelled(self._prediction_rows, model).inc(rows)

    def model_settled(self, model: str, *, version: int, is_up: bool) -> None:
        """Show whether a version of a model is loaded."""
        _labelled(self._model_up, model, str(version)).set(is_up)

    def model_retired(self, model: str, *, version: int) -> None:
        """Show that a version of a model is not loaded any more."""
        _labelled(self._model_up, model, str(version)).set(0)

    def attempt_finished(self, *, outcome: str, seconds: float) -> None:
        """Count an attempt to send a message of a webhook."""
        _labelled(self._webhook_attempts, outcome).observe(seconds)

    def exposition(self, backlog: Backlog | None = None) -> tuple[bytes, str]:
        """Return all metrics in Prometheus's text format, and its media type.

        Of a server of several processes, these are the metrics of all of them together.

        Args:
            backlog: The jobs that there are to do; None while nobody can say.
        """
        registry = self.registry
        if is_one_of_many():
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        found = generate_latest(registry)
        if backlog is not None:
            found += generate_latest(_BacklogCollector(backlog))
        return found, CONTENT_TYPE_LATEST

    def _gauge(self, name: str, text: str, mode: MultiprocessMode, *labels: str) -> Gauge:
        """Make a gauge; the mode says what the gauges of several processes are together."""
        return Gauge(name, text, labels, registry=self.registry, multiprocess_mode=mode)

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(name, text, labels, buckets=SECONDS_BUCKETS, registry=self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)


class WorkerMetrics:
    """What Prometheus reads of a worker of jobs; a `JobObserver`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self._attempts = Histogram(
            "gql_platform_job_attempt_duration_seconds",
            "Duration of attempts at jobs.",
            ["kind", "outcome"],
            buckets=JOB_SECONDS_BUCKETS,
            registry=self.registry,
        )

    def attempt_finished(self, *, kind: str, outcome: str, seconds: float) -> None:
        """Count an attempt at a job."""
        _labelled(self._attempts, kind, outcome).observe(seconds)

    def listen(self, host: str, port: int) -> int:
        """Show all metrics at a port, in threads, and return it; 0 takes any.

        Raises:
            MetricsPortError: If this process cannot listen there.
        """
        try:
            server, _ = start_http_server(port, host, self.registry)
        except OSError as error:
            reason = error.strerror or str(error)
            raise MetricsPortError(host=host, port=port, reason=reason) from error
        return server.server_port


class _BacklogCollector(Collector):
    """Show what the database says of jobs: that is the same, whichever process is asked."""

    def __init__(self, backlog: Backlog) -> None:
        self._backlog = backlog

    def collect(self) -> Iterator[Metric]:
        backlog, waited = self._backlog, 0.0
        if backlog.waiting_since is not None:
            waited = (datetime.now(UTC) - backlog.waiting_since).total_seconds()
        jobs = GaugeMetricFamily("gql_platform_jobs", "Jobs that are not done.", labels=["state"])
        jobs.add_metric(["queued"], backlog.queued)
        jobs.add_metric(["running"], backlog.running)
        yield jobs
        yield GaugeMetricFamily(
            "gql_platform_jobs_oldest_wait_seconds",
            "How long the oldest job has waited for a worker.",
            value=max(waited, 0.0),
        )
        yield GaugeMetricFamily(
            "gql_platform_job_workers", "Workers that live.", value=backlog.workers
        )


class Stopwatch:
    """Time something: ``watch.seconds`` grows from the moment it is made."""

    def __init__(self) -> None:
        self._started = time.perf_counter()

    @property
    def seconds(self) -> float:
        """The time since the start."""
        return time.perf_counter() - self._started
