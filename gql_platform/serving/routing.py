"""Which variant answers a request."""

import hashlib
import math
import random
from bisect import bisect
from collections.abc import Callable, Sequence
from itertools import accumulate

_DIGEST_BYTES = 6
"""48 bits: a float holds them and the half that is added."""

_SPAN = 2.0 ** (8 * _DIGEST_BYTES)


class Router:
    """Share requests among variants in proportion to their weights.

    Args:
        names: The names of the variants, which are unique.
        weights: Their weights: finite, not negative, and at least one of them positive.
        is_sticky: Whether a request's key decides.
        draw: Returns a number from 0 to below 1 for requests that chance decides on.
    """

    def __init__(
        self,
        names: Sequence[str],
        weights: Sequence[float],
        *,
        is_sticky: bool = False,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._names = tuple(name.encode() for name in names)
        self._weights = tuple(weights)
        self._bounds = list(accumulate(weights))
        self._last = max(index for index, weight in enumerate(weights) if weight)
        self._is_sticky = is_sticky
        self._draw = draw
        self._is_alone = len(names) == 1

    def choose(self, key: str | None) -> int:
        """Return the index of the variant for a request.

        Args:
            key: The request's routing key, if it has one.
        """
        if self._is_alone:
            return 0
        if self._is_sticky and key is not None:
            return self._chosen_by(key)
        # The product may be rounded up to the very end.
        return min(bisect(self._bounds, self._draw() * self._bounds[-1]), self._last)

    def _chosen_by(self, key: str) -> int:
        """Return the variant with the highest score for a key.

        Weighted rendezvous hashing: with ``u`` a hash of key and variant in (0, 1), the score is
        ``-weight / ln(u)``; the variant of weight w wins with the probability w / sum(w), and
        where one weight grows, keys move to that variant only (Schindelhauer and Schomaker,
        "Weighted distributed hash tables", SPAA 2005: the logarithmic method).
        """
        scores = [
            -weight / math.log(_share_of(key, name)) if weight else -1.0
            for name, weight in zip(self._names, self._weights, strict=True)
        ]
        return scores.index(max(scores))

    def shares(self) -> list[float]:
        """Return the share of each variant, from 0 to 1."""
        return [weight / self._bounds[-1] for weight in self._weights]


def _share_of(key: str, name: bytes) -> float:
    """Return a number above 0 and below 1 that key and name determine."""
    text = key.encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(text, digest_size=_DIGEST_BYTES, person=_person(name)).digest()
    return (int.from_bytes(digest) + 0.5) / _SPAN


def _person(name: bytes) -> bytes:
    """Return a name as the 16 bytes that tell one use of the hash from another."""
    return name if len(name) <= 16 else hashlib.blake2b(name, digest_size=16).digest()
