"""Predictors are handed over to processes of their own."""

import asyncio

from gql_platform.adapters.isolation.channel import encoded
from gql_platform.adapters.isolation.child import Plan, StartError
from gql_platform.adapters.isolation.predictor import IsolatedPredictor
from gql_platform.errors import ModelLoadError
from gql_platform.registry.records import ModelVersion
from gql_platform.serving.ports import Predictor


class ProcessIsolation:
    """Give each predictor a Python process of its own; an `Isolation`.

    Args:
        memory_limit_mb: How much address space each process may use; None for any amount. That
            is more than the memory it fills: libraries and the stacks of threads count whole.
        start_timeout_seconds: How long a process may take until it has loaded its model.
        call_timeout_seconds: How long a call may take before its process is killed; None for any
            time.
    """

    def __init__(
        self,
        *,
        memory_limit_mb: int | None = None,
        start_timeout_seconds: float = 60,
        call_timeout_seconds: float | None = None,
    ) -> None:
        self._memory_limit_mb = memory_limit_mb
        self._start_timeout_seconds = start_timeout_seconds
        self._call_timeout_seconds = call_timeout_seconds

    async def isolated(self, version: ModelVersion, predictor: Predictor) -> Predictor:
        """Return a predictor that computes as another one does, in a process that it owns.

        Raises:
            ModelLoadError: If it cannot be handed to another process.
        """
        starting = asyncio.create_task(asyncio.to_thread(self._isolated, version, predictor))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            # The thread goes on, and nobody else learns of the process that it starts.
            starting.add_done_callback(_discard)
            raise

    def _isolated(self, version: ModelVersion, predictor: Predictor) -> IsolatedPredictor:
        name, number = version.model_name, version.version
        try:
            model = encoded(predictor)
        except Exception as error:
            words = f"{type(error).__name__}: {error}"
            reason = f"it cannot be handed to another process: {words}"
            raise ModelLoadError(name=name, version=number, reason=reason) from error
        plan = Plan(model, self._memory_limit_mb, self._start_timeout_seconds)
        try:
            return IsolatedPredictor(
                predictor, version.ref, plan, call_timeout_seconds=self._call_timeout_seconds
            )
        except StartError as error:
            raise ModelLoadError(name=name, version=number, reason=str(error)) from error


def _discard(starting: "asyncio.Task[IsolatedPredictor]") -> None:
    if not starting.cancelled() and starting.exception() is None:
        starting.result().close()
