"""Exporting the registry and its runs."""

from dataclasses import asdict

from gql_platform.exports.records import REGISTRY_EXPORT, ExportRequest
from gql_platform.jobs.records import Job
from gql_platform.jobs.service import DEFAULT_PRIORITY, Jobs


class Exports:
    """Have the registry and its runs written to files, by jobs.

    Args:
        jobs: Starts them.
    """

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

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
            JobPriorityError: If the priority is none.
            IdempotencyKeyReusedError: If the key came with another request.
            StoreUnavailableError: If the platform's database does not answer.
        """
        given = asdict(request)
        return await self._jobs.start(REGISTRY_EXPORT, given, by=by, priority=priority, key=key)
