"""Exceptions on their way from one process to another."""

import builtins
import traceback
from dataclasses import dataclass

_PLAIN = (str, bytes, int, float, type(None))


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception as plain values: its class need not exist where it is raised again.

    Attributes:
        kind: The name of the builtin exception that it is, or that is nearest above it.
        arguments: What that is made with.
        shown: Type and message, in one line.
        trace: Its traceback.
    """

    kind: str
    arguments: tuple[object, ...]
    shown: str
    trace: str

    @classmethod
    def of(cls, error: BaseException) -> "Raised":
        """Return an exception as plain values.

        A builtin exception stays what it is. One of another class becomes the nearest builtin
        above it, as numpy's errors of memory become `MemoryError`, and its message names the
        class; where there is none but `Exception`, it becomes a `RuntimeError`.
        """
        own = type(error)
        shown = " ".join(f"{own.__name__}: {error}".removesuffix(": ").split())
        trace = "".join(traceback.format_exception(error))
        nearest = next(base for base in own.__mro__ if base.__module__ == "builtins")
        arguments: tuple[object, ...]
        if nearest is Exception or not issubclass(nearest, Exception):
            nearest, arguments = RuntimeError, (f"the model raised {shown}",)
        elif nearest is not own:
            arguments = (shown,)
        elif all(type(item) in _PLAIN for item in error.args):
            arguments = error.args
        else:
            arguments = (str(error),)
        return cls(nearest.__name__, arguments, shown, trace)

    def as_error(self) -> Exception:
        """Return the exception to raise, with the traceback of the other process as a note."""
        kind: type[Exception] = getattr(builtins, self.kind)
        try:
            error = kind(*self.arguments)
        except TypeError:
            # Some builtin exceptions, such as groups, are not made from a message.
            error = RuntimeError(f"the model raised {self.shown}")
        error.add_note(f"In the model's process:\n{self.trace}")
        return error
