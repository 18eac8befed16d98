"""Many callers over keep-alive connections, and how each of their requests went."""

import asyncio
import itertools
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass
class Answers:
    """How some requests went.

    Attributes:
        seconds: How long each answer with status 200 took.
        refused_seconds: How long each answer with status 503 took.
        others: How many answers had another status.
        found: How often each of the looked-for texts was in an answer.
    """

    seconds: list[float] = field(default_factory=list)
    refused_seconds: list[float] = field(default_factory=list)
    others: int = 0
    found: Counter[bytes] = field(default_factory=Counter)


async def ask(
    port: int,
    message: bytes,
    *,
    connections: int,
    seconds: float,
    look_for: re.Pattern[bytes] | None = None,
) -> Answers:
    """Send a request over some connections, each time again when it was answered.

    Args:
        port: Where the server listens on this machine.
        message: The request as it goes over the wire.
        connections: How many callers there are.
        seconds: For how long.
        look_for: What is counted in the answers, by its first group.
    """
    answers = Answers()
    ends_at = time.perf_counter() + seconds
    at_once = itertools.takewhile(lambda now: now < ends_at, iter(time.perf_counter, None))
    await asyncio.gather(
        *(_caller(port, message, at_once, look_for, answers) for _ in range(connections))
    )
    return answers


async def offer(
    port: int, message: bytes, *, per_second: float, connections: int, seconds: float
) -> Answers:
    """Send a request so many times a second, whether those before were answered or not.

    How long an answer takes counts from the moment when the request was due.

    Args:
        port: Where the server listens on this machine.
        message: The request as it goes over the wire.
        per_second: How many requests fall due.
        connections: How many of them can be under way at once.
        seconds: For how long.
    """
    answers = Answers()
    began = time.perf_counter()
    due = (began + number / per_second for number in range(round(per_second * seconds)))
    await asyncio.gather(*(_caller(port, message, due, None, answers) for _ in range(connections)))
    return answers


async def _caller(
    port: int,
    message: bytes,
    due: Iterator[float],
    look_for: re.Pattern[bytes] | None,
    answers: Answers,
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for began in due:
        await asyncio.sleep(max(0.0, began - time.perf_counter()))
        writer.write(message)
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        assert length is not None, head
        body = await reader.readexactly(int(length[1]))
        took = time.perf_counter() - began
        if b" 200 " in head[:13]:
            answers.seconds.append(took)
        elif b" 503 " in head[:13]:
            answers.refused_seconds.append(took)
        else:
            answers.others += 1
        if look_for is not None and (match := look_for.search(body)):
            answers.found[match[1]] += 1
    writer.close()
