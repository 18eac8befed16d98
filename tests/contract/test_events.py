"""What several processes see of each other's events."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from gql_platform.events.records import Delivery, NewEvent
from gql_platform.events.service import Events
from tests.contract.databases import SHARED, Kept, replica_of

pytestmark = pytest.mark.anyio

SECONDS = 20
"""How long anything may take before the test fails."""


def happened(number: int) -> NewEvent:
    """Return a fact to write down."""
    return NewEvent("test.happened", "Test", "one", "tester", {"number": number})


async def sequences(deliveries: AsyncIterator[Delivery], count: int) -> list[int]:
    """Return the sequences of the next few events."""
    async with asyncio.timeout(SECONDS):
        return [(await anext(deliveries)).event.sequence for _ in range(count)]


async def all_sequences(events: Events, count: int) -> list[int]:
    """Follow from the beginning until so many events have come."""
    async with aclosing(events.follow(after=0)) as deliveries:
        return await sequences(deliveries, count)


@pytest.mark.parametrize("kept", SHARED, indirect=True)
async def test_replica_sees_what_the_other_writes(kept: Kept) -> None:
    """A follower on one replica gets the other's events in order, and soon."""
    async with replica_of(kept) as other:
        here, there = Events(kept.store, kept.event_log), Events(other.store, other.event_log)
        async with aclosing(here.follow(after=0)) as deliveries:
            for number in range(1, 6):
                await there.record(happened(number))
                assert await sequences(deliveries, 1) == [number]


@pytest.mark.parametrize("kept", SHARED, indirect=True)
async def test_replicas_that_write_at_once_give_one_order(kept: Kept) -> None:
    """While two replicas write, followers on both see all events once and in the same order."""
    async with replica_of(kept) as other:
        both = [Events(each.store, each.event_log) for each in (kept, other)]
        following = [asyncio.create_task(all_sequences(each, 60)) for each in both]
        await asyncio.gather(
            *(each.record(happened(number)) for number in range(30) for each in both)
        )
        assert await asyncio.gather(*following) == [list(range(1, 61))] * 2
