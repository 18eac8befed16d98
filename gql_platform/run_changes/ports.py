"""What changes of runs need of a store."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from gql_platform.run_changes.records import Batch, Refusal, RunEnd


class RunWriter(Protocol):
    """Make experiments and runs, and log to them.

    What is written is there for the next read. Each method raises
    `gql_platform.errors.RegistryUnavailableError` when the store does not answer.
    """

    async def create_experiment(self, name: str, *, tags: Mapping[str, str]) -> str:
        """Make an experiment, with its tags in one step, and return its id.

        Raises:
            gql_platform.errors.ExperimentExistsError: If there is one of that name, deleted or not.
            gql_platform.errors.InvalidExperimentError: If the store refuses it.
        """
        ...

    async def create_run(
        self,
        experiment_id: str,
        *,
        name: str | None,
        user: str,
        started_at: datetime,
        tags: Mapping[str, str],
    ) -> str:
        """Make a run that is at work, with its tags in one step, and return its id.

        Args:
            experiment_id: An experiment that is not deleted.
            name: Its name; the store makes one up for None.
            user: Who made it; the tag ``mlflow.user`` says so, unless the tags do.
            started_at: When it began.
            tags: Its tags.

        Raises:
            gql_platform.errors.InvalidRunError: If the store refuses it.
        """
        ...

    async def log(self, run_id: str, batch: Batch) -> Sequence[Refusal]:
        """Log items to a run, and return those that the store refused; all others are logged.

        The same item twice is logged once: a param and a tag with the same value, and a metric with
        the same value, step and time.

        Raises:
            gql_platform.errors.RunNotFoundError: If there is no such run.
            gql_platform.errors.RunDeletedError: If it is deleted.
        """
        ...

    async def remove_tag(self, run_id: str, key: str) -> None:
        """Take a tag from a run that is not deleted, if it has it."""
        ...

    async def finish(self, run_id: str, end: RunEnd, *, finished_at: datetime) -> None:
        """Say how a run ended, and when.

        Raises:
            gql_platform.errors.RunNotFoundError: If there is no such run.
            gql_platform.errors.RunDeletedError: If it is deleted.
        """
        ...

    async def delete(self, run_id: str) -> None:
        """Delete a run; it can be restored. One that is deleted stays so.

        Raises:
            gql_platform.errors.RunNotFoundError: If there is no such run.
        """
        ...

    async def restore(self, run_id: str) -> None:
        """Restore a run that was deleted. One that was not stays as it is.

        Raises:
            gql_platform.errors.RunNotFoundError: If there is no such run.
        """
        ...
