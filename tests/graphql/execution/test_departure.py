"""Work ends when nobody waits for it any more."""

import asyncio

import pytest
from starlette.types import Message

from gql_platform.graphql.execution.departure import WhileConnected

pytestmark = pytest.mark.anyio


async def gone() -> Message:
    """Say that the client has left."""
    return {"type": "http.disconnect"}


async def staying() -> Message:
    """Say nothing."""
    await asyncio.Event().wait()
    raise AssertionError


class TestWhileConnected:
    async def test_work_of_a_client_that_leaves_is_cancelled(self) -> None:
        """The work ends, and what comes behind it goes on."""
        watch = WhileConnected(gone)
        with watch:
            await asyncio.Event().wait()
        assert watch.has_gone
        await asyncio.sleep(0)

    async def test_work_of_a_client_that_stays_is_done(self) -> None:
        """Nothing happens to it."""
        with WhileConnected(staying) as watch:
            await asyncio.sleep(0)
        assert not watch.has_gone

    async def test_another_cancellation_goes_through(self) -> None:
        """A server that stops is not held up."""

        async def work() -> None:
            with WhileConnected(staying):
                await asyncio.Event().wait()

        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def test_error_of_the_work_goes_through(self) -> None:
        """It is not mistaken for a departure."""
        with pytest.raises(ValueError, match="no"), WhileConnected(staying):
            raise ValueError("no")
