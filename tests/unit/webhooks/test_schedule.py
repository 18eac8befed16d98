"""Messages are sent ten times at most, over 75 hours."""

from datetime import UTC, datetime, timedelta

import pytest

from gql_platform.webhooks.schedule import MAX_ATTEMPTS, WAITS, next_attempt

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


def none() -> float:
    """Return no jitter."""
    return 0.0


class TestSchedule:
    def test_ten_attempts_span_75_hours(self) -> None:
        """Without jitter, the last attempt is 75 hours after the first."""
        time, attempts = NOON, 1
        while (following := next_attempt(attempts, now=time, jitter=none)) is not None:
            time, attempts = following, attempts + 1
        assert (attempts, time - NOON) == (MAX_ATTEMPTS, timedelta(hours=75))
        assert MAX_ATTEMPTS == 10

    def test_waits_grow(self) -> None:
        """Each wait is longer than the one before."""
        assert sorted(set(WAITS)) == list(WAITS)

    def test_last_attempt_has_none_after_it(self) -> None:
        """What failed ten times is given up, whatever the receiver asks for."""
        asked = timedelta(seconds=1)
        assert next_attempt(10, now=NOON, jitter=none, at_least=asked) is None

    @pytest.mark.parametrize(("jitter", "seconds"), [(0.0, 300), (0.5, 285), (1.0, 270)])
    def test_jitter_shortens_a_wait(self, jitter: float, seconds: int) -> None:
        """A wait is shortened by a tenth at most."""
        following = next_attempt(2, now=NOON, jitter=lambda: jitter)
        assert following == NOON + timedelta(seconds=seconds)

    @pytest.mark.parametrize(
        ("asked", "waited"),
        [
            (timedelta(seconds=1), WAITS[0]),
            (timedelta(minutes=1), timedelta(minutes=1)),
            (timedelta(days=365), WAITS[-1]),
        ],
    )
    def test_receiver_is_left_alone_as_it_asks(self, asked: timedelta, waited: timedelta) -> None:
        """A receiver may make a wait longer, but not without end."""
        assert next_attempt(1, now=NOON, jitter=none, at_least=asked) == NOON + waited
