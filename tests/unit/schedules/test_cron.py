"""Cron's fields stand for times on the clock of a place."""

from datetime import UTC, datetime
from itertools import accumulate, repeat

import pytest

from gql_platform.errors import InvalidCronError, InvalidTimeZoneError
from gql_platform.schedules.cron import next_time
from gql_platform.schedules.records import Times


def moment(text: str) -> datetime:
    """Return a moment of UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        ("*/15 * * * *", "UTC", "2026-01-31T12:00", "2026-01-31T12:15"),
        ("0 0 1 * *", "UTC", "2026-01-31T12:00", "2026-02-01T00:00"),
        ("30 2 * * mon-fri", "UTC", "2026-01-30T12:00", "2026-02-02T02:30"),
        ("0 9 * * *", "Europe/Berlin", "2026-01-31T12:00", "2026-02-01T08:00"),
        ("0 9 * * *", "Europe/Berlin", "2026-07-31T12:00", "2026-08-01T07:00"),
        ("0 0 29 2 *", "UTC", "2026-01-31T12:00", "2028-02-29T00:00"),
    ],
)
def test_next_time(cron: str, zone: str, after: str, expected: str) -> None:
    """The next time is behind the moment, and read on the clock of the zone."""
    assert next_time(Times(cron, zone), after=moment(after)) == moment(expected)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        # On 2026-03-29 the clock of Berlin goes from 02:00 to 03:00.
        ("2026-03-28T12:00", ["2026-03-29T01:00", "2026-03-30T00:30"]),
        # On 2026-10-25 it shows the hour from 02:00 twice.
        ("2026-10-24T12:00", ["2026-10-25T00:30", "2026-10-25T01:30", "2026-10-26T01:30"]),
    ],
)
def test_changes_of_the_clock(after: str, expected: list[str]) -> None:
    """A time that is left out comes at once, and one that is shown twice comes twice."""
    times = Times("30 2 * * *", "Europe/Berlin")
    first = next_time(times, after=moment(after))
    found = accumulate(
        repeat(None, len(expected) - 1),
        lambda last, _: next_time(times, after=last),
        initial=first,
    )
    assert list(found) == [moment(each) for each in expected]


@pytest.mark.parametrize(
    "cron",
    [
        *("", "* * * *", "* * * * * *", "61 * * * *", "0 0 31 2 *", "@daily", "R * * * *"),
        *("H H * * *", "0 0 L * *", "0 0 * * 1#5", "0 0 * * *; rm", "0 0 1-5/0 * *", "é * * * *"),
        *("* " * 5_000, "0," * 5_000 + "0 * * * *", "*\x00 * * * *"),
    ],
)
def test_what_is_no_cron(cron: str) -> None:
    """What is none, never comes, or means another thing elsewhere is refused."""
    with pytest.raises(InvalidCronError):
        next_time(Times(cron), after=moment("2026-01-31T12:00"))


@pytest.mark.parametrize(
    "zone", ["", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "a\x00"]
)
def test_what_is_no_zone(zone: str) -> None:
    """A zone is known by its name, and no file is read for another."""
    with pytest.raises(InvalidTimeZoneError):
        next_time(Times("0 9 * * *", zone), after=moment("2026-01-31T12:00"))
