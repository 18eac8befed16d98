"""Whether a model is quick enough to answer small requests on the event loop."""

SMALL_ROWS = 8
"""The most rows of a small request."""

QUICK_SECONDS = 0.0005
"""The longest that a quick answer takes; handing a request to a thread and back costs a third."""

QUICK_CALLS = 16
"""After how many quick answers in a row a model is taken for quick."""


class Pace:
    """Watch how long a model takes for small requests.

    A model earns its place on the event loop by answering from a thread, and loses it with the
    first answer that takes too long.
    """

    def __init__(self) -> None:
        self._quick_calls = 0

    @property
    def is_quick(self) -> bool:
        """Whether it has answered quickly for a while."""
        return self._quick_calls >= QUICK_CALLS

    def record(self, *, rows: int, seconds: float) -> None:
        """Take note of an answer.

        Args:
            rows: The number of rows.
            seconds: How long checking them and predicting took.
        """
        if rows <= SMALL_ROWS:
            self._quick_calls = self._quick_calls + 1 if seconds <= QUICK_SECONDS else 0
