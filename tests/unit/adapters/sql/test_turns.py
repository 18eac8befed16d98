"""A crowd waits its turn, and an outage is noticed."""

import asyncio

import pytest

from gql_platform.adapters.sql.outage import StillAtWorkError
from gql_platform.adapters.sql.turns import Turns

pytestmark = pytest.mark.anyio

PATIENCE_SECONDS = 0.2


async def used(turns: Turns, done: list[int], number: int) -> None:
    """Use the database for a fifth of the patience."""
    async with turns.turn():
        ended = asyncio.Event()
        asyncio.get_running_loop().call_later(PATIENCE_SECONDS / 5, ended.set)
        await ended.wait()
        done.append(number)


async def held(turns: Turns, opened: asyncio.Event) -> None:
    """Use the database without end."""
    async with turns.turn():
        opened.set()
        await asyncio.Event().wait()


async def test_a_crowd_is_served_in_order() -> None:
    """Whoever waits longer than the patience is served, as long as others get on."""
    turns, done = Turns(1, patience_seconds=PATIENCE_SECONDS), list[int]()
    await asyncio.gather(*(used(turns, done, number) for number in range(15)))
    assert done == list(range(15))


async def test_nobody_gets_on() -> None:
    """When nobody's use ends, those who wait give up, all at once."""
    turns, opened = Turns(1, patience_seconds=PATIENCE_SECONDS), asyncio.Event()
    holder = asyncio.create_task(held(turns, opened))
    await opened.wait()
    began = asyncio.get_running_loop().time()
    ended = await asyncio.gather(
        *(used(turns, [], number) for number in range(20)), return_exceptions=True
    )
    assert [type(each) for each in ended] == [StillAtWorkError] * 20
    assert asyncio.get_running_loop().time() - began < 3 * PATIENCE_SECONDS
    holder.cancel()
    await asyncio.gather(holder, return_exceptions=True)
    await asyncio.wait_for(used(turns, [], 0), timeout=5)


async def test_the_wait_counts() -> None:
    """A turn that comes late leaves the database less time, and a failure is no progress."""
    turns, opened = Turns(1, patience_seconds=PATIENCE_SECONDS), asyncio.Event()

    async def fail() -> None:
        async with turns.turn():
            opened.set()
            late = asyncio.Event()
            asyncio.get_running_loop().call_later(PATIENCE_SECONDS / 2, late.set)
            await late.wait()
            raise ConnectionError

    failing = asyncio.create_task(fail())
    await opened.wait()
    async with turns.turn() as seconds_left:
        assert 0 < seconds_left < 0.6 * PATIENCE_SECONDS
    with pytest.raises(ConnectionError):
        await failing


async def test_whoever_goes_away_takes_no_place() -> None:
    """A place that was waited for in vain is free for others."""
    turns, opened = Turns(1, patience_seconds=PATIENCE_SECONDS), asyncio.Event()
    holder = asyncio.create_task(held(turns, opened))
    await opened.wait()
    waiting = asyncio.create_task(used(turns, [], 0))
    await asyncio.sleep(0)
    waiting.cancel()
    holder.cancel()
    await asyncio.gather(waiting, holder, return_exceptions=True)
    done: list[int] = []
    await asyncio.wait_for(used(turns, done, 1), timeout=5)
    assert done == [1]
