"""A change is made to its end and written down once, and then tidied up after."""

import asyncio

import pytest

from gql_platform.errors import RegistryUnavailableError, StoreUnavailableError
from gql_platform.events.records import NewEvent
from gql_platform.events.service import Events
from gql_platform.idempotency.service import Idempotency, keyed
from gql_platform.journal.records import Entry
from gql_platform.journal.service import Journal
from gql_platform.testing import InMemoryDatabase, InMemoryEventLog, InMemoryRequestKeys

pytestmark = pytest.mark.anyio

EVENT = NewEvent("test.made", "Test", "one", "me")


class Bench:
    """A journal, and what was made beside it."""

    def __init__(self) -> None:
        self.database = InMemoryDatabase()
        self.journal = Journal(
            Events(self.database, InMemoryEventLog(self.database)),
            Idempotency(self.database, InMemoryRequestKeys(self.database)),
            at_once=2,
        )
        self.steps: list[str] = []

    async def change(self) -> Entry:
        """Make something."""
        await asyncio.sleep(0)
        self.steps.append("made")
        return Entry({"number": len(self.steps)}, [EVENT])

    async def tidy(self) -> None:
        """Take something away."""
        self.steps.append("tidied")


@pytest.fixture
def bench() -> Bench:
    """A journal that nothing is written in."""
    return Bench()


async def test_change_is_made_and_written_down(bench: Bench) -> None:
    """The result is the change's, and tidying comes last."""
    assert await bench.journal.make(None, bench.change, tidy=bench.tidy) == {"number": 1}
    assert bench.steps == ["made", "tidied"]
    assert [each.type for each in bench.database.contents.events] == ["test.made"]


async def test_repeated_request_makes_nothing(bench: Bench) -> None:
    """It gets the result that was kept, and there is nothing to tidy up."""
    request = keyed("k", caller="me", operation="test", arguments={})
    for _ in range(2):
        result = await bench.journal.make(request, bench.change, tidy=bench.tidy)
        assert result == {"number": 1}
    assert bench.steps == ["made", "tidied"]
    assert len(bench.database.contents.events) == 1


async def test_change_goes_on_without_its_caller(bench: Bench) -> None:
    """Whoever hangs up leaves a whole change behind."""
    asking = asyncio.create_task(bench.journal.make(None, bench.change, tidy=bench.tidy))
    await asyncio.sleep(0)
    asking.cancel()
    for _ in range(20):
        await asyncio.sleep(0)
    assert bench.steps == ["made", "tidied"]
    assert len(bench.database.contents.events) == 1


async def test_changes_take_turns(bench: Bench) -> None:
    """No more are at work than may be, and who hangs up before its turn has changed nothing."""
    at_work, most = 0, 0

    async def change() -> Entry:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(0)
        at_work -= 1
        return await bench.change()

    asking = [asyncio.create_task(bench.journal.make(None, change)) for _ in range(9)]
    await asyncio.sleep(0)
    asking.pop().cancel()
    await asyncio.gather(*asking)
    for _ in range(20):
        await asyncio.sleep(0)
    assert (most, len(bench.steps)) == (2, 8)


async def test_nothing_is_made_without_the_database(bench: Bench) -> None:
    """What could not be written down is not begun."""
    bench.database.is_away = True
    with pytest.raises(StoreUnavailableError):
        await bench.journal.make(None, bench.change, tidy=bench.tidy)
    assert bench.steps == []


async def test_what_cannot_be_tidied_up_stays(bench: Bench) -> None:
    """The change was made, and its answer says so."""

    async def tidy() -> None:
        raise RegistryUnavailableError(uri="", reason="it is away")

    assert await bench.journal.make(None, bench.change, tidy=tidy) == {"number": 1}


async def test_change_without_events_tells_nobody(bench: Bench) -> None:
    """A result alone is kept."""

    async def change() -> Entry:
        return Entry({"done": True})

    assert await bench.journal.make(None, change) == {"done": True}
    assert bench.database.contents.events == []


def test_digest_tells_requests_apart() -> None:
    """Caller, operation, key and values all count, and the same request has the same digest."""
    asked = [
        {"key": "k", "caller": "me", "operation": "test", "arguments": {"a": 1}},
        {"key": "l", "caller": "me", "operation": "test", "arguments": {"a": 1}},
        {"key": "k", "caller": "you", "operation": "test", "arguments": {"a": 1}},
        {"key": "k", "caller": "me", "operation": "toast", "arguments": {"a": 1}},
        {"key": "k", "caller": "me", "operation": "test", "arguments": {"a": 2}},
    ]
    requests = [keyed(**each) for each in (*asked, asked[0])]  # type: ignore[arg-type]
    digests = [each.digest for each in requests if each is not None]
    assert len(set(digests)) == 5
    assert digests[0] == digests[5]
    assert {len(each) for each in digests} == {32}
