"""Requests meet variants as often as the weights say, and keys always meet the same one."""

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gql_platform.serving.routing import Router

NAMES = ("stable", "canary", "dark horse with a long name")
KEYS = [f"user-{number}" for number in range(2000)]

# Weights far apart are what finds mistakes of rounding.
weights_of_three = st.lists(st.just(0.0) | st.floats(1e-6, 1e6), min_size=3, max_size=3).filter(any)
names_of_three = st.lists(st.text(min_size=1, max_size=40), min_size=3, max_size=3, unique=True)


def by_key(names: Sequence[str], weights: Sequence[float]) -> Callable[[str], str]:
    """Return what a sticky router chooses for a key."""
    router = Router(names, weights, is_sticky=True)
    return lambda key: names[router.choose(key)]


def by_draw(weights: Sequence[float], draw: float) -> int:
    """Return what a router chooses where chance gives that number."""
    names = [str(place) for place in range(len(weights))]
    return Router(names, weights, draw=lambda: draw).choose(None)


class TestWeighted:
    def test_shares_are_exactly_the_weights(self) -> None:
        """Numbers that are spread evenly over [0, 1) meet variants in proportion."""
        draws = iter((number + 0.5) / 1000 for number in range(1000))
        router = Router(NAMES, [1.0, 3.0, 6.0], draw=lambda: next(draws))
        assert Counter(router.choose("a key") for _ in range(1000)) == {0: 100, 1: 300, 2: 600}

    @pytest.mark.parametrize(
        ("weights", "draw", "chosen"),
        [
            ([0.0, 1.0], 0.0, 1),
            ([1.0, 0.0], 1 - 2**-53, 0),
            ([0.0, 1.0, 0.0, 1.0, 0.0], 0.5, 3),
            ([0.1] * 10, 1 - 2**-53, 9),
            ([0.1] * 10 + [0.0], 1 - 2**-53, 9),
            ([5e-324, 0.0], 1 - 2**-53, 0),
            ([3.0, 1.0], 0.75, 1),
            ([3.0, 1.0], math.nextafter(0.75, 0), 0),
        ],
    )
    def test_bounds_belong_to_the_variant_above(
        self, weights: list[float], draw: float, chosen: int
    ) -> None:
        """A variant without a weight gets nothing, wherever it stands."""
        assert by_draw(weights, draw) == chosen

    @given(weights_of_three, st.floats(0, 1, exclude_max=True))
    def test_nothing_goes_to_a_variant_without_weight(
        self, weights: list[float], draw: float
    ) -> None:
        """Whatever chance gives, a variant with a weight answers."""
        assert weights[by_draw(weights, draw)] > 0

    def test_the_only_variant_gets_all(self) -> None:
        """Where there is no choice, nothing is drawn."""

        def never() -> float:
            raise AssertionError

        assert Router(["a"], [0.5], draw=never).choose(None) == 0
        assert Router(["a"], [0.5], is_sticky=True, draw=never).choose("key") == 0

    @given(weights_of_three)
    def test_shares_sum_to_one(self, weights: list[float]) -> None:
        """What is shown is what is done."""
        shares = Router(NAMES, weights).shares()
        assert math.fsum(shares) == pytest.approx(1)
        total = math.fsum(weights)
        assert shares == pytest.approx([weight / total for weight in weights])


class TestSticky:
    def test_keys_are_shared_by_the_weights(self) -> None:
        """The chi-square statistic of 20,000 keys stays below its 99.9 % quantile, 13.816."""
        weights, count = [1.0, 3.0, 6.0], 20_000
        choose = by_key(NAMES, weights)
        found = Counter(choose(f"key {number}") for number in range(count))
        expected = {name: weight / 10 * count for name, weight in zip(NAMES, weights, strict=True)}
        statistic = sum((found[name] - each) ** 2 / each for name, each in expected.items())
        assert statistic < 13.816

    def test_score_is_that_of_the_paper(self) -> None:
        """The variant with the greatest -w / ln(u) wins, u being a hash of key and name."""
        weights = {"stable": 9.0, "canary": 1.0}
        choose = by_key(tuple(weights), tuple(weights.values()))

        def score(key: str, name: str) -> float:
            digest = hashlib.blake2b(key.encode(), digest_size=6, person=name.encode()).digest()
            share = (int.from_bytes(digest, "big") + 0.5) / 2**48
            return -weights[name] / math.log(share)

        assert [choose(key) for key in KEYS] == [
            max(weights, key=lambda name: score(key, name)) for key in KEYS
        ]

    def test_every_server_chooses_alike(self) -> None:
        """These were chosen once, and are for ever: several servers share the keys of a fleet."""
        choose = by_key(NAMES, [1.0, 1.0, 1.0])
        keys = ("", "a", "user-17", "ключ", "\ud800", "x" * 5000)
        assert [choose(key) for key in keys] == ["canary"] * 3 + ["stable"] * 3

    @given(names_of_three, weights_of_three, st.text(max_size=20))
    def test_the_same_key_meets_the_same_variant(
        self, names: list[str], weights: list[float], key: str
    ) -> None:
        """The order in which variants are written down does not count either."""
        chosen = by_key(names, weights)(key)
        assert by_key(names, weights)(key) == chosen
        assert by_key(names[::-1], weights[::-1])(key) == chosen
        assert weights[names.index(chosen)] > 0

    @given(weights_of_three, st.integers(0, 2), st.floats(1e-6, 1e6))
    def test_a_greater_weight_moves_keys_to_its_variant_only(
        self, weights: list[float], place: int, more: float
    ) -> None:
        """No key changes between two variants whose weights stayed as they were."""
        raised = [weight + more * (index == place) for index, weight in enumerate(weights)]
        before, after = by_key(NAMES, weights), by_key(NAMES, raised)
        for key in KEYS[:200]:
            assert after(key) in {before(key), NAMES[place]}

    @given(weights_of_three, st.integers(0, 2))
    def test_a_variant_that_leaves_moves_its_own_keys_only(
        self, weights: list[float], place: int
    ) -> None:
        """Everybody else goes on to meet the variant that they know."""
        rest = [index for index in range(3) if index != place]
        assume(any(weights[index] for index in rest))
        before = by_key(NAMES, weights)
        after = by_key([NAMES[i] for i in rest], [weights[i] for i in rest])
        for key in KEYS[:200]:
            assert before(key) in {after(key), NAMES[place]}

    def test_names_of_any_length_are_told_apart(self) -> None:
        """Names that begin alike are other variants nevertheless."""
        choose = by_key(["a variant named 1", "a variant named 2"], [1.0, 1.0])
        counts = Counter(choose(key) for key in KEYS)
        assert min(counts.values()) > 900

    def test_requests_without_a_key_go_by_chance(self) -> None:
        """Nobody is sent to one variant for not having a key."""
        draws = iter([0.1, 0.9, 0.6])
        router = Router(["a", "b"], [1.0, 1.0], is_sticky=True, draw=lambda: next(draws))
        assert [router.choose(None) for _ in range(3)] == [0, 1, 1]

    def test_key_is_ignored_where_chance_decides(self) -> None:
        """A key means nothing to a deployment that is not sticky."""
        draws = iter([0.1, 0.9])
        router = Router(["a", "b"], [1.0, 1.0], draw=lambda: next(draws))
        assert [router.choose("key") for _ in range(2)] == [0, 1]
