"""Logs have one form and the request's id; metrics count what they should."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.request import urlopen

import pytest
import structlog
from prometheus_client.parser import text_string_to_metric_families

from gql_platform import __version__
from gql_platform.errors import MetricsPortError
from gql_platform.jobs.records import Backlog
from gql_platform.observability import (
    Metrics,
    Stopwatch,
    WorkerMetrics,
    configure_logging,
    request_id_of,
)
from gql_platform.settings import LogFormat, LogLevel


@pytest.fixture
def _restored_logging() -> Iterator[None]:
    """Put the process's logging back as the test found it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    noisy = {name: logging.getLogger(name).level for name in ("alembic", "mlflow", "httpx2")}
    yield
    root.handlers, root.level = handlers, level
    for name, found in noisy.items():
        logging.getLogger(name).setLevel(found)
    structlog.reset_defaults()


@pytest.mark.usefixtures("_restored_logging")
class TestLogging:
    def test_line_is_json_with_the_request_id(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A line of ours is one JSON object, with what is bound to the request."""
        configure_logging(level=LogLevel.INFO, log_format=LogFormat.JSON)
        with structlog.contextvars.bound_contextvars(request_id="abc-1"):
            structlog.get_logger("ours").info("model_loaded", model="iris\n{}", version=2)
        (line,) = capsys.readouterr().err.splitlines()
        found = json.loads(line)
        assert found.pop("timestamp").endswith("Z")
        assert found == {
            "event": "model_loaded",
            "level": "info",
            "logger": "ours",
            "model": "iris\n{}",
            "request_id": "abc-1",
            "version": 2,
        }

    def test_line_of_a_library_has_the_same_form(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A line of the standard library's logging has the same keys."""
        configure_logging(level=LogLevel.INFO, log_format=LogFormat.JSON)
        with structlog.contextvars.bound_contextvars(request_id="abc-2"):
            logging.getLogger("theirs").warning("%s of %s", 1, 2)
        found = json.loads(capsys.readouterr().err)
        assert found.pop("timestamp").endswith("Z")
        assert found == {
            "event": "1 of 2",
            "level": "warning",
            "logger": "theirs",
            "request_id": "abc-2",
        }

    def test_error_is_one_line_with_its_traceback(self, capsys: pytest.CaptureFixture[str]) -> None:
        """An exception stays on the line, as data."""
        configure_logging(level=LogLevel.INFO, log_format=LogFormat.JSON)
        try:
            int("a\nb")
        except ValueError:
            structlog.get_logger("ours").exception("prediction_failed")
        (line,) = capsys.readouterr().err.splitlines()
        (raised,) = json.loads(line)["exception"]
        assert (raised["exc_type"], raised["exc_value"]) == (
            "ValueError",
            "invalid literal for int() with base 10: 'a\\nb'",
        )

    @pytest.mark.parametrize(
        ("level", "expected"),
        [(LogLevel.DEBUG, ["d", "i", "w"]), (LogLevel.WARNING, ["w"]), (LogLevel.ERROR, [])],
    )
    def test_level_is_the_least_that_is_written(
        self, capsys: pytest.CaptureFixture[str], level: LogLevel, expected: list[str]
    ) -> None:
        """Lines below the level are not written."""
        configure_logging(level=level, log_format=LogFormat.JSON)
        log = structlog.get_logger("ours")
        log.debug("d")
        log.info("i")
        log.warning("w")
        lines = capsys.readouterr().err.splitlines()
        assert [json.loads(line)["event"] for line in lines] == expected

    def test_noisy_libraries_are_heard_from_warnings_on(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """What MLflow says about its migrations is no news."""
        configure_logging(level=LogLevel.INFO, log_format=LogFormat.JSON)
        logging.getLogger("mlflow").info("Running migration")
        logging.getLogger("mlflow").warning("Disk is full")
        lines = capsys.readouterr().err.splitlines()
        assert [json.loads(line)["event"] for line in lines] == ["Disk is full"]

    def test_automatic_form_is_json_without_a_terminal(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Where nobody reads along, lines are for machines."""
        configure_logging(level=LogLevel.INFO, log_format=LogFormat.AUTO)
        structlog.get_logger("ours").info("started")
        assert json.loads(capsys.readouterr().err)["event"] == "started"

    def test_console_form_is_for_readers(self, capsys: pytest.CaptureFixture[str]) -> None:
        """On request, a line is plain text with the same facts."""
        configure_logging(level=LogLevel.INFO, log_format=LogFormat.CONSOLE)
        structlog.get_logger("ours").info("started", port=8000)
        (line,) = capsys.readouterr().err.splitlines()
        assert "started" in line
        assert "port=8000" in line
        assert not line.startswith("{")


class TestRequestID:
    @pytest.mark.parametrize("header", ["a", "0f3c-11.b_2:x", "x" * 128])
    def test_well_formed_id_is_taken_over(self, header: str) -> None:
        """The caller's own id is kept, so that its logs and ours can be joined."""
        assert request_id_of(header) == header

    @pytest.mark.parametrize("header", [None, "", "x" * 129, "a b", "a\n", "ä", '{"a":1}'])
    def test_any_other_is_replaced(self, header: str | None) -> None:
        """What could be no id, or could forge a log line, is replaced by a new id."""
        made = request_id_of(header)
        assert made != header
        assert len(made) == 16
        assert int(made, 16) >= 0

    def test_new_ids_differ(self) -> None:
        """Two requests without an id get two ids."""
        assert request_id_of(None) != request_id_of(None)


class TestMetrics:
    @staticmethod
    def sample(metrics: Metrics, name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(name, labels)

    def test_prediction_is_counted_from_start_to_end(self) -> None:
        """A prediction is in flight until it ends, and then has a duration and rows."""
        metrics = Metrics()
        metrics.prediction_started("iris")
        assert self.sample(metrics, "gql_platform_predictions_in_flight", model="iris") == 1
        metrics.prediction_finished("iris", rows=3, seconds=0.02, error_code=None)
        name = "gql_platform_prediction"
        assert self.sample(metrics, f"{name}s_in_flight", model="iris") == 0
        assert self.sample(metrics, f"{name}_duration_seconds_count", model="iris") == 1
        assert self.sample(metrics, f"{name}_duration_seconds_sum", model="iris") == 0.02
        assert self.sample(metrics, f"{name}_rows_total", model="iris") == 3
        bucket = f"{name}_duration_seconds_bucket"
        assert self.sample(metrics, bucket, model="iris", le="0.01") == 0
        assert self.sample(metrics, bucket, model="iris", le="0.025") == 1

    def test_refused_prediction_counts_as_an_error_only(self) -> None:
        """A failure is counted by its code, and says nothing of durations and rows."""
        metrics = Metrics()
        metrics.prediction_started("iris")
        metrics.prediction_finished("iris", rows=3, seconds=0.02, error_code="INVALID_ROWS")
        name = "gql_platform_prediction"
        errors = f"{name}_errors_total"
        assert self.sample(metrics, errors, model="iris", code="INVALID_ROWS") == 1
        assert self.sample(metrics, f"{name}s_in_flight", model="iris") == 0
        assert self.sample(metrics, f"{name}_rows_total", model="iris") is None
        assert self.sample(metrics, f"{name}_duration_seconds_count", model="iris") is None

    def test_model_is_up_or_down(self) -> None:
        """A gauge tells of each version whether it was loaded."""
        metrics = Metrics()
        metrics.model_settled("iris", version=1, is_up=True)
        metrics.model_settled("house", version=3, is_up=False)
        name = "gql_platform_model_up"
        assert self.sample(metrics, name, model="iris", version="1") == 1
        assert self.sample(metrics, name, model="house", version="3") == 0

    def test_jobs_are_shown_as_the_database_says(self) -> None:
        """What there is to do is shown beside what this process has counted."""
        since = datetime.now(UTC) - timedelta(minutes=1)
        text = Metrics().exposition(Backlog(3, 2, since, 1))[0].decode()
        found = {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
        assert found["gql_platform_jobs", "queued"] == 3
        assert found["gql_platform_jobs", "running"] == 2
        assert found["gql_platform_job_workers",] == 1
        assert 60 <= found["gql_platform_jobs_oldest_wait_seconds",] < 120
        assert ("gql_platform_build_info", __version__) in found
        assert b"gql_platform_jobs" not in Metrics().exposition(None)[0]

    def test_attempts_at_webhooks_are_counted(self) -> None:
        """Each has a duration under its outcome."""
        metrics = Metrics()
        metrics.attempt_finished(outcome="failed", seconds=0.3)
        name = "gql_platform_webhook_attempt_duration_seconds"
        assert self.sample(metrics, f"{name}_sum", outcome="failed") == 0.3

    def test_operation_is_counted_with_its_errors(self) -> None:
        """A GraphQL operation has a duration, and each of its errors a count by code."""
        metrics = Metrics()
        metrics.operation_finished(
            name="Models",
            operation_type="query",
            seconds=0.004,
            error_codes=["NOT_FOUND", "INTERNAL", "INTERNAL"],
        )
        labels = {"operation_name": "Models", "operation_type": "query"}
        name = "graphql_operation_duration_seconds"
        assert self.sample(metrics, f"{name}_count", **labels) == 1
        assert self.sample(metrics, f"{name}_bucket", le="0.005", **labels) == 1
        assert self.sample(metrics, "graphql_errors_total", code="INTERNAL") == 2
        assert self.sample(metrics, "graphql_errors_total", code="NOT_FOUND") == 1

    def test_request_is_counted_under_its_route(self) -> None:
        """An HTTP request has a duration under method, route and status."""
        metrics = Metrics()
        metrics.request_finished(method="GET", route="/v1/models/{name}", status=404, seconds=0.5)
        labels = {"method": "GET", "route": "/v1/models/{name}", "code": "404"}
        assert self.sample(metrics, "http_request_duration_seconds_sum", **labels) == 0.5

    def test_exposition_is_what_prometheus_reads(self) -> None:
        """Prometheus's own parser reads the text, and finds version and process in it."""
        metrics = Metrics()
        metrics.prediction_started('a "quoted" \\ name\nwith a line')
        body, media_type = metrics.exposition()
        families = {found.name: found for found in text_string_to_metric_families(body.decode())}
        assert media_type.startswith("text/plain")
        (build,) = families["gql_platform_build_info"].samples
        assert (build.labels, build.value) == ({"version": __version__}, 1)
        (in_flight,) = families["gql_platform_predictions_in_flight"].samples
        assert in_flight.labels == {"model": 'a "quoted" \\ name\nwith a line'}
        assert "process_resident_memory_bytes" in families
        assert "python_gc_objects_collected" in families

    def test_servers_do_not_share_counts(self) -> None:
        """Two servers in one process count for themselves."""
        one, other = Metrics(), Metrics()
        one.prediction_started("iris")
        assert self.sample(other, "gql_platform_predictions_in_flight", model="iris") is None


class TestStopwatch:
    def test_time_goes_on(self) -> None:
        """Each look at the watch shows no less than the one before."""
        watch = Stopwatch()
        first = watch.seconds
        assert 0 <= first <= watch.seconds


class TestWorkerMetrics:
    def test_attempts_are_shown(self) -> None:
        """A worker shows what became of its attempts, by their kind."""
        metrics = WorkerMetrics()
        metrics.attempt_finished(kind="registryExport", outcome="failed", seconds=30.0)
        port = metrics.listen("127.0.0.1", 0)
        with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            lines = answer.read().decode().splitlines()
        name = "gql_platform_job_attempt_duration_seconds"
        labels = 'kind="registryExport",outcome="failed"'
        assert f"{name}_count{{{labels}}} 1.0" in lines
        assert f"{name}_sum{{{labels}}} 30.0" in lines

    def test_port_of_another(self) -> None:
        """A port that is taken is told."""
        port = WorkerMetrics().listen("127.0.0.1", 0)
        with pytest.raises(MetricsPortError) as raised:
            WorkerMetrics().listen("127.0.0.1", port)
        assert (raised.value.port, raised.value.reason) == (port, "Address already in use")
