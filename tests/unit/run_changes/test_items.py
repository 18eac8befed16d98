"""Items that a run takes are told from those that it does not."""

import math
from datetime import UTC, datetime
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from gql_platform.registry.records import Tag
from gql_platform.run_changes.answers import kept, logged, told_again
from gql_platform.run_changes.items import checked
from gql_platform.run_changes.records import (
    ItemKind,
    Items,
    MetricPoint,
    MetricValue,
    RefusalCode,
)
from gql_platform.tracking.records import Param

GOOD_KEYS = ["a", "val/f1 score: é", "a.b-c_d", "日本", "k" * 250, ".hidden", "a..b"]
BAD_KEYS = ["", ".", "..", "../a", "/a", "a/", "a//b", "a/./b", "a\n", "a\x00", "a%", "a'b", "😀"]


def refused(items: Items, **known: str) -> list[tuple[ItemKind, int, RefusalCode]]:
    """Return what is refused of some items."""
    found = checked(items, known=known, moment_ms=0).refused
    return [(each.kind, each.index, each.code) for each in found]


class TestKeys:
    @pytest.mark.parametrize("key", GOOD_KEYS)
    def test_good_key_is_taken(self, key: str) -> None:
        """Letters of all languages, digits and some signs make a name."""
        items = Items([Param(key, "1")], [MetricValue(key, 1.0)], [Tag(key, "1")])
        assert refused(items) == []

    @pytest.mark.parametrize("key", BAD_KEYS)
    def test_bad_key_is_refused(self, key: str) -> None:
        """What would be another name as a path, or has other signs, is none."""
        items = Items([Param(key, "1")], [MetricValue(key, 1.0)], [Tag(key, "1")])
        assert refused(items) == [(kind, 0, RefusalCode.INVALID_KEY) for kind in order()]

    def test_long_key_is_refused(self) -> None:
        """A character too many is one too many."""
        key = "k" * 251
        items = Items([Param(key, "1")], [MetricValue(key, 1.0)], [Tag(key, "1")])
        assert refused(items) == [(kind, 0, RefusalCode.KEY_TOO_LONG) for kind in order()]

    def test_tags_of_the_platform_are_refused(self) -> None:
        """Nobody writes over what the platform notes for itself."""
        assert refused(Items(tags=[Tag("gql_platform.request", "x")])) == [
            (ItemKind.TAG, 0, RefusalCode.RESERVED_KEY)
        ]


def order() -> list[ItemKind]:
    """Return the kinds in the order in which they are looked at."""
    return [ItemKind.PARAM, ItemKind.TAG, ItemKind.METRIC]


class TestValues:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (0.5, "0.5"), (3, "3.0"), ("NaN", "nan"), ("Infinity", "inf"), ("-Infinity", "-inf"),
            (math.nan, "nan"), (-math.inf, "-inf"), (2**1023, "8.98846567431158e+307"),
        ],
    )  # fmt: skip
    def test_metric_is_a_number_or_one_of_three_texts(
        self, value: float | str, expected: str
    ) -> None:
        """NaN and the infinities are values of a metric as others are."""
        found = checked(Items(metrics=[MetricValue("m", value)]), known={}, moment_ms=0)
        assert [str(each.value) for each in found.batch.metrics.values()] == [expected]

    @pytest.mark.parametrize("value", ["", "nan", "inf", "1.0", "Infinity ", 2**1024])
    def test_other_texts_are_no_metric(self, value: Any) -> None:
        """A number in a text is refused, and so is one of more than 64 bits."""
        items = Items(metrics=[MetricValue("a", 1.0), MetricValue("b", value)])
        assert refused(items) == [(ItemKind.METRIC, 1, RefusalCode.INVALID_VALUE)]

    def test_metric_before_1970_is_refused(self) -> None:
        """The first moment of Unix time is taken, the one before it is not."""
        times = [datetime(1970, 1, 1, tzinfo=UTC), datetime(1969, 12, 31, 23, 59, tzinfo=UTC)]
        items = Items(metrics=[MetricValue("m", 1.0, 0, time) for time in times])
        assert refused(items) == [(ItemKind.METRIC, 1, RefusalCode.INVALID_TIME)]

    @pytest.mark.parametrize("text", ["a\x00b", "\ud800", "x\udfff"])
    def test_text_that_is_not_stored_is_refused(self, text: str) -> None:
        """NUL and half a surrogate pair would be an error of the database."""
        assert refused(Items([Param("a", text)], tags=[Tag("b", text)])) == [
            (ItemKind.PARAM, 0, RefusalCode.INVALID_VALUE),
            (ItemKind.TAG, 0, RefusalCode.INVALID_VALUE),
        ]

    def test_long_values_are_refused_and_not_cut(self) -> None:
        """The longest value is taken whole; one character more is refused."""
        items = Items(
            [Param("a", "x" * 6_000), Param("b", "x" * 6_001)],
            tags=[Tag("a", "x" * 8_000), Tag("b", "x" * 8_001), Tag("mlflow.runName", "x" * 251)],
        )
        assert refused(items) == [
            (ItemKind.PARAM, 1, RefusalCode.VALUE_TOO_LONG),
            (ItemKind.TAG, 1, RefusalCode.VALUE_TOO_LONG),
            (ItemKind.TAG, 2, RefusalCode.VALUE_TOO_LONG),
        ]


class TestRepeated:
    def test_param_keeps_its_first_value(self) -> None:
        """The second value is refused, whether the first is logged or comes with it."""
        items = Items([Param("a", "1"), Param("b", "1"), Param("a", "1"), Param("a", "2")])
        found = checked(items, known={"b": "2", "c": "3"}, moment_ms=0)
        assert found.batch.params == {0: Param("a", "1")}
        assert [(each.index, each.code.name, each.message) for each in found.refused] == [
            (1, "PARAM_CHANGED", "The param is '2' already, and stays that."),
            (3, "PARAM_CHANGED", "The param is '1' already, and stays that."),
        ]

    def test_param_that_is_logged_already_is_left_out(self) -> None:
        """It counts as logged, and is not sent again."""
        found = checked(Items([Param("a", "1")]), known={"a": "1"}, moment_ms=0)
        assert (found.batch.params, found.refused) == ({}, [])

    def test_last_tag_counts(self) -> None:
        """Of several tags of a key, one is sent."""
        found = checked(Items(tags=[Tag("a", "1"), Tag("a", "2")]), known={}, moment_ms=0)
        assert found.batch.tags == {1: Tag("a", "2")}

    def test_metrics_without_a_time_follow_each_other(self) -> None:
        """Values of the same step keep their order, and are not taken for one."""
        noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
        metrics = [
            MetricValue("a", 1.0),
            MetricValue("a", 1.0),
            MetricValue("a", 2.0, 1),
            MetricValue("b", 3.0),
            MetricValue("a", 4.0, 0, noon),
        ]
        found = checked(Items(metrics=metrics), known={}, moment_ms=7)
        assert list(found.batch.metrics.values()) == [
            MetricPoint("a", 1.0, 0, 7),
            MetricPoint("a", 1.0, 0, 8),
            MetricPoint("a", 2.0, 1, 7),
            MetricPoint("b", 3.0, 0, 7),
            MetricPoint("a", 4.0, 0, 1_769_860_800_000),
        ]


KEYS = st.sampled_from(["a", "b", "c/d", "", "..", "gql_platform.x", "k" * 251])
TEXTS = st.sampled_from(["1", "2", "", "\x00", "x" * 8_001])
NUMBERS = st.one_of(st.floats(), st.integers(), st.sampled_from(["NaN", "Infinity", "nan", "x"]))


@hypothesis.given(
    st.lists(st.builds(Param, KEYS, TEXTS)),
    st.lists(st.builds(MetricValue, KEYS, NUMBERS, st.integers(-2, 2))),
    st.lists(st.builds(Tag, KEYS, TEXTS)),
)
def test_each_item_is_logged_or_refused(
    params: list[Param], metrics: list[MetricValue], tags: list[Tag]
) -> None:
    """None is lost: what is sent stands for what is neither sent nor refused."""
    items = Items(params, metrics, tags)
    found = checked(items, known={"a": "1"}, moment_ms=7)
    places = {kind: {e.index for e in found.refused if e.kind is kind} for kind in ItemKind}
    assert len(found.refused) == sum(map(len, places.values()))
    logged_metrics = set(range(len(metrics))) - places[ItemKind.METRIC]
    assert set(found.batch.metrics) == logged_metrics
    points = list(found.batch.metrics.values())
    assert len({(each.key, each.step, each.time_ms) for each in points}) == len(points)
    sent = {"a": "1", **{each.key: each.value for each in found.batch.params.values()}}
    for index in set(range(len(params))) - places[ItemKind.PARAM]:
        assert sent[params[index].key] == params[index].value
    set_tags = {each.key for each in found.batch.tags.values()}
    assert set_tags == {tags[i].key for i in set(range(len(tags))) - places[ItemKind.TAG]}


class TestAnswers:
    def test_kept_answer_is_told_as_it_was(self) -> None:
        """What is kept has no names of its own, for a database may not take them."""
        items = Items(
            [Param("a\x00", "1"), Param("b", "1")],
            [MetricValue("m", "x"), MetricValue("m", 1.0)],
            [Tag("..", "1")],
        )
        answer = logged("r", items, checked(items, known={}, moment_ms=0).refused)
        assert (answer.param_count, answer.metric_count, answer.tag_count) == (1, 1, 0)
        assert [(each.kind, each.index, each.key) for each in answer.refused] == [
            (ItemKind.PARAM, 0, "a\x00"),
            (ItemKind.METRIC, 0, "m"),
            (ItemKind.TAG, 0, ".."),
        ]
        assert "\x00" not in str(kept(answer))
        assert told_again(kept(answer), items) == answer
