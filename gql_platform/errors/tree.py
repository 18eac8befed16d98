"""What all errors of the platform have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any, ClassVar


@dataclass(eq=False)
class PlatformError(Exception):
    """The platform could not do that."""

    code: ClassVar[str] = "INTERNAL"

    def __str__(self) -> str:
        """Return the class's docstring, filled with the error's data."""
        shown = {name: _shown(value) for name, value in vars(self).items()}
        return " ".join((self.__doc__ or "").split()).format(**shown)

    @property
    def for_callers(self) -> str:
        """The message for callers; it tells nothing of the server's inside."""
        return str(self)

    @property
    def data(self) -> Mapping[str, Any]:
        """The error's facts as plain values, for the edges to send along."""
        return {name: _plain(value) for name, value in vars(self).items()}


def _shown(value: Any) -> Any:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(repr(item) for item in value) or "none"
    return value


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value
