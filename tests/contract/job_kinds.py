"""What the jobs of the contract do, in processes that import this module."""

import os
import threading
from functools import partial
from pathlib import Path

from gql_platform.jobs.records import JobKind, Note, Progress, Running, Values


def add(_: str, given: Values) -> Running:
    """Add numbers, and tell after each."""
    total = 0
    for done, number in enumerate(given["numbers"], start=1):
        total += number
        yield Progress(done / len(given["numbers"]), f"added {number}", {"total": total})
    return {"total": total}


def fail_at_first(_: str, given: Values) -> Running:
    """Fail until there is a mark on the disk, which the first attempts leave."""
    yield Progress(message="trying")
    marks = Path(given["folder"])
    count = len(list(marks.iterdir()))
    yield Note(f"{count} marks")
    if count < given["failures"]:
        (marks / str(count)).touch()
        raise ValueError(f"attempt {count + 1}")
    return {"attempts": count + 1}


def hang(_: str, given: Values) -> Running:
    """Say that it runs, by opening a pipe, and never end."""
    yield Progress(0.5, "hanging")
    with Path(given["pipe"]).open("w") as pipe:
        pipe.write(str(os.getpid()))
    threading.Event().wait()
    return {}


def hang_at_first(job_id: str, given: Values) -> Running:
    """Hang, unless another process did so before, and return which."""
    mark = Path(given["mark"])
    if not mark.exists():
        mark.write_text(str(os.getpid()))
        yield from hang(job_id, given)
    return {"first": int(mark.read_text())}


def die(_: str, __: Values) -> Running:
    """End the process that it runs in."""
    yield Progress(message="dying")
    os.abort()


def take_memory(_: str, __: Values) -> Running:
    """Take more memory than there is for it."""
    yield Progress(message="taking")
    return {"length": len(bytearray(8 << 30))}


def tell_no_json(_: str, __: Values) -> Running:
    """End with what no JSON has."""
    yield Progress(message="counting")
    return {"share": float("nan")}


def tell_no_object(_: str, __: Values) -> Running:
    """End with nothing, where an object is expected."""
    yield Progress(message="thinking")
    return None  # type: ignore[return-value] # that is the point


def tell_oddly(_: str, given: Values) -> Running:
    """Tell what no database keeps, and what nobody is to read, and fail if that is asked for."""
    odd = "a\x00b\ud800c of postgresql://me:secret@host/name"
    yield Progress(0.5, odd, {"counted\x00": 1})
    yield Note(odd)
    if given["is_failing"]:
        raise ValueError(odd)
    return {"text\x00": ["a\x00"]}


KINDS = {
    kind.name: kind
    for kind in (
        JobKind("add", add),
        JobKind("failAtFirst", fail_at_first, backoff_seconds=0.01),
        JobKind("hang", hang),
        JobKind("hangShortly", hang, timeout_seconds=2.0, max_attempts=1),
        JobKind("hangAtFirst", hang_at_first, max_attempts=1),
        JobKind("die", die, max_attempts=1),
        JobKind("tellNoJson", tell_no_json, max_attempts=1),
        JobKind("tellNoObject", tell_no_object, max_attempts=1),
        JobKind("tellOddly", tell_oddly, max_attempts=1),
        JobKind("unsendable", partial(add, threading.Lock())),  # type: ignore[arg-type] # so it is
        JobKind("takeMemory", take_memory, max_attempts=1, memory_limit_mb=2048),
    )
}
