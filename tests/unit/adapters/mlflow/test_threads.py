"""Blocking calls leave the loop free, and do not outlive anybody's patience."""

import asyncio
import threading

import pytest
import structlog

from gql_platform.adapters.mlflow.threads import Threads

pytestmark = pytest.mark.anyio


class TestThreads:
    async def test_result_comes_back(self) -> None:
        """What the call returns is what the caller gets."""
        assert await Threads().run(lambda: 6 * 7) == 42

    async def test_error_comes_back(self) -> None:
        """What the call raises is raised where it was made."""

        def fail() -> None:
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            await Threads().run(fail)

    async def test_call_runs_elsewhere_in_a_daemon_thread(self) -> None:
        """The process can end while it hangs."""
        thread = await Threads().run(threading.current_thread)
        assert thread is not threading.current_thread()
        assert thread.daemon

    async def test_context_goes_along(self) -> None:
        """Log lines of the call carry what is bound where it was made."""
        with structlog.contextvars.bound_contextvars(request_id="r1"):
            bound = await Threads().run(structlog.contextvars.get_contextvars)
        assert bound == {"request_id": "r1"}

    async def test_caller_can_leave(self) -> None:
        """A caller that is cancelled does not wait, and the late result disturbs nobody."""
        gate = threading.Event()
        running = asyncio.create_task(Threads().run(gate.wait))
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        gate.set()
        assert await Threads().run(lambda: "next") == "next"
