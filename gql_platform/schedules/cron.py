"""The times that five fields of cron stand for, on the clock of a place."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import CroniterError, croniter

from gql_platform.errors import InvalidCronError, InvalidTimeZoneError
from gql_platform.schedules.records import Times

FIELDS = 5
MAX_CHARACTERS = 100

_FIELD = re.compile(r"(\*|[0-9]{1,2}|[a-z]{3})([-,/](\*|[0-9]{1,2}|[a-z]{3}))*", re.IGNORECASE)
"""What fields have in all programs; some know letters with meanings of their own."""


def next_time(times: Times, *, after: datetime) -> datetime:
    """Return the first time behind a moment.

    Where the clock is put forward, a time that it leaves out comes at once; where it is put back,
    a time that it shows twice comes twice.

    Args:
        times: Which times.
        after: The moment.

    Raises:
        InvalidCronError: If the fields are no times, or never come.
        InvalidTimeZoneError: If there is no such zone.
    """
    fields = times.cron.split() if len(times.cron) <= MAX_CHARACTERS else []
    if len(fields) != FIELDS or not all(map(_FIELD.fullmatch, fields)):
        raise InvalidCronError(cron=times.cron[:MAX_CHARACTERS])
    try:
        found: datetime = croniter(times.cron, after.astimezone(_zone(times))).get_next(datetime)
    except CroniterError as error:
        raise InvalidCronError(cron=times.cron) from error
    return found.astimezone(UTC)


def _zone(times: Times) -> ZoneInfo:
    try:
        return ZoneInfo(times.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidTimeZoneError(time_zone=times.time_zone[:MAX_CHARACTERS]) from error
