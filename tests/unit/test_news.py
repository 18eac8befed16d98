"""Whoever follows learns that something has changed, however often it did."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from anyio.lowlevel import checkpoint

from gql_platform.news import News

pytestmark = pytest.mark.anyio


def following(news: News) -> "asyncio.Task[int]":
    """Return the first number of somebody who begins to follow."""
    return next_of(aiter(news.follow()))


def next_of(numbers: AsyncIterator[int]) -> "asyncio.Task[int]":
    """Return a task that waits for the next number."""

    async def next_number() -> int:
        return await anext(numbers)

    return asyncio.create_task(next_number())


async def test_present_state_comes_at_once() -> None:
    """Nobody waits for a change to learn how things are."""
    news = News()
    news.tell()
    assert await following(news) == 1
    assert news.number == 1


async def test_everybody_is_woken() -> None:
    """All who follow learn of the same change."""
    news = News()
    followers = [aiter(news.follow()) for _ in range(3)]
    assert [await anext(each) for each in followers] == [0, 0, 0]
    waiting = [next_of(each) for each in followers]
    await checkpoint()
    assert not any(task.done() for task in waiting)
    news.tell()
    assert await asyncio.gather(*waiting) == [1, 1, 1]


async def test_changes_meanwhile_are_one() -> None:
    """Who was busy is woken once, and sees the newest."""
    news = News()
    numbers = aiter(news.follow())
    assert await anext(numbers) == 0
    for _ in range(5):
        news.tell()
    assert await anext(numbers) == 5
    later = next_of(numbers)
    await checkpoint()
    assert not later.done()
    news.tell()
    assert await later == 6


async def test_nothing_is_missed_between_two_waits() -> None:
    """A change that happens while the last one is worked on is seen next."""
    news = News()
    numbers = aiter(news.follow())
    await anext(numbers)
    waiting = next_of(numbers)
    await checkpoint()
    news.tell()
    news.tell()
    assert await waiting == 2


async def test_who_leaves_disturbs_nobody() -> None:
    """One who stops to wait does not wake the others, nor keep them from being woken."""
    news = News()
    leaving, staying = aiter(news.follow()), aiter(news.follow())
    await anext(leaving)
    await anext(staying)
    gone, there = next_of(leaving), next_of(staying)
    await checkpoint()
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert not there.done()
    news.tell()
    assert await there == 1


async def test_telling_needs_nobody() -> None:
    """Changes are counted while nobody follows."""
    news = News()
    news.tell()
    news.tell()
    assert news.number == 2
