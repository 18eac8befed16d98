"""Health's use cases."""

import time
from datetime import UTC, datetime

from gql_platform import __version__
from gql_platform.health.records import HealthState, HealthSummary, ServerStatus
from gql_platform.serving.records import ModelState
from gql_platform.serving.service import Serving


class Health:
    """Tell how the server is.

    Args:
        serving: What serves the models.
    """

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._started_at = datetime.now(UTC)
        self._started = time.monotonic()
        self._problem: str | None = None

    def report_problem(self, problem: str | None) -> None:
        """Remember what is wrong with the server, or that nothing is any more."""
        self._problem = problem

    def status(self) -> ServerStatus:
        """Return the state of the server."""
        models = self._serving.models()
        failed = any(
            variant.candidate is not None and variant.candidate.state is ModelState.FAILED
            for deployment in self._serving.deployments()
            for variant in deployment.variants
        )
        ready = self._serving.is_ready
        is_degraded = failed or self._problem is not None
        state = HealthState.DEGRADED if is_degraded else HealthState.HEALTHY
        return ServerStatus(
            version=__version__,
            state=state if ready else HealthState.STARTING,
            is_ready=ready,
            problem=self._problem,
            started_at=self._started_at,
            uptime_seconds=round(time.monotonic() - self._started, 3),
            models=models,
        )

    def summary(self) -> HealthSummary:
        """Return what anybody may know of it."""
        status = self.status()
        return HealthSummary(status.state, status.is_ready, status.version)
