"""Many callers over keep-alive connections, and how each of their requests went."""

import asyncio
import re
import time
from collections import Counter
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
    pause: float = 0.0,
    look_for: re.Pattern[bytes] | None = None,
) -> Answers:
    """Send a request again and again over some connections.

    Args:
        port: Where the server listens on this machine.
        message: The request as it goes over the wire.
        connections: How many callers there are; each asks again when it was answered.
        seconds: For how long.
        pause: How long a caller waits before it asks again.
        look_for: What is counted in the answers, by its first group.
    """
    answers = Answers()
    ends_at = time.perf_counter() + seconds
    await asyncio.gather(
        *(_caller(port, message, ends_at, pause, look_for, answers) for _ in range(connections))
    )
    return answers


async def _caller(
    port: int,
    message: bytes,
    ends_at: float,
    pause: float,
    look_for: re.Pattern[bytes] | None,
    answers: Answers,
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < ends_at:
        began = time.perf_counter()
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
        if pause:
            await asyncio.sleep(pause)
    writer.close()
