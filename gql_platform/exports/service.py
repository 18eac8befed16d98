"""Exporting the registry and its runs."""

from dataclasses import asdict
from typing import Any

from gql_platform.errors import ExperimentNotFoundError, TooManyExperimentsError
from gql_platform.exports.records import REGISTRY_EXPORT, ExportRequest
from gql_platform.jobs.records import Job
from gql_platform.jobs.service import DEFAULT_PRIORITY, Jobs
from gql_platform.schedules.records import JobSchedule, Times
from gql_platform.schedules.service import Schedules
from gql_platform.tracking.service import Tracking

MAX_EXPERIMENTS = 100
"""How many are named; an export of more is one of all."""


class Exports:
    """Have the registry and its runs written to files, by jobs.

    Args:
        jobs: Starts them.
        schedules: Starts them again and again.
        tracking: Knows the experiments.
    """

    def __init__(self, jobs: Jobs, schedules: Schedules, tracking: Tracking) -> None:
        self._jobs = jobs
        self._schedules = schedules
        self._tracking = tracking

    async def start(
        self,
        request: ExportRequest,
        *,
        by: str,
        priority: int = DEFAULT_PRIORITY,
        key: str | None = None,
    ) -> Job:
        """Queue an export; its job has a file in the end.

        Args:
            request: What it is to hold.
            by: Who wants that.
            priority: Of the jobs that wait, those with lower numbers go first; at least 1.
            key: The caller's own for the request, so that it can be sent again.

        Raises:
            ExperimentNotFoundError: If there is no such experiment.
            TooManyExperimentsError: If more are named than may be.
            JobPriorityError: If the priority is none.
            IdempotencyKeyReusedError: If the key came with another request.
            StoreUnavailableError: If the platform's database does not answer.
        """
        given = await self._checked(request)
        return await self._jobs.start(REGISTRY_EXPORT, given, by=by, priority=priority, key=key)

    async def schedule(
        self,
        request: ExportRequest,
        times: Times,
        *,
        by: str,
        priority: int = DEFAULT_PRIORITY,
        is_enabled: bool = True,
        key: str | None = None,
    ) -> JobSchedule:
        """Have exports started again and again; otherwise as `Schedules.create`.

        Args:
            request: What each is to hold.
            times: When.
            by: Who wants that.
            priority: The priority of the jobs.
            is_enabled: Whether jobs are started from now on.
            key: The caller's own for the request, so that it can be sent again.

        Raises:
            ExperimentNotFoundError: If there is no such experiment.
            TooManyExperimentsError: If more are named than may be.
        """
        given = await self._checked(request)
        return await self._schedules.create(
            REGISTRY_EXPORT,
            given,
            times,
            by=by,
            priority=priority,
            is_enabled=is_enabled,
            key=key,
        )

    async def _checked(self, request: ExportRequest) -> dict[str, Any]:
        """Return what a job is given, if there is what it is to export."""
        # Each once: twice named, its runs would be there twice.
        names = list(dict.fromkeys(request.experiments))
        if len(names) > MAX_EXPERIMENTS:
            raise TooManyExperimentsError(count=len(names), maximum=MAX_EXPERIMENTS)
        for name in names:
            if await self._tracking.experiment_named(name) is None:
                raise ExperimentNotFoundError(named=name)
        return {**asdict(request), "experiments": names}
