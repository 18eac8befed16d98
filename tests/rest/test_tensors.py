"""Tensors of the Open Inference Protocol, for any values."""

import struct
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gql_platform.errors import InvalidBodyError
from gql_platform.registry.records import ColumnType
from gql_platform.rest.inference import inference_of
from gql_platform.rest.tensors import (
    DATATYPES,
    DTYPES,
    Datatype,
    Tensor,
    rows_of,
    tensor_from_bytes,
    tensor_from_json,
    texts_as_bytes,
)
from gql_platform.testing import columns_of

SHAPES = hnp.array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=6)
PAIR = columns_of({"a": ColumnType.DOUBLE, "b": ColumnType.STRING})

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


def plain(tensor: Tensor) -> list[Any]:
    """Return the elements as plain values."""
    return tensor.values.tolist() if isinstance(tensor.values, np.ndarray) else tensor.values


@st.composite
def arrays(draw: st.DrawFn) -> tuple[Datatype, npt.NDArray[Any]]:
    """Draw a datatype, and an array of finite elements of it."""
    datatype = draw(st.sampled_from(sorted(DTYPES)))
    dtype = DTYPES[datatype]
    elements = hnp.from_dtype(dtype, allow_nan=False, allow_infinity=False)
    return datatype, draw(hnp.arrays(dtype, draw(SHAPES), elements=elements))


@given(arrays())
def test_json_and_binary_give_back_the_very_array(
    drawn: tuple[Datatype, npt.NDArray[Any]],
) -> None:
    datatype, array = drawn
    shape = list(array.shape)
    expected = array.ravel().tolist()

    for tensor in (
        tensor_from_json("x", datatype, shape, expected),
        tensor_from_bytes("x", datatype, shape, array.tobytes()),
    ):
        assert tensor.shape == array.shape
        assert plain(tensor) == expected
    if array.size:
        assert plain(tensor_from_json("x", datatype, shape, array.tolist())) == expected


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_texts_give_back_the_very_texts(texts: list[str]) -> None:
    raw = texts_as_bytes(texts)

    assert plain(tensor_from_bytes("x", "BYTES", [len(texts)], raw)) == texts
    assert plain(tensor_from_json("x", "BYTES", [len(texts)], texts)) == texts


@given(
    st.sampled_from(get_args(Datatype)),
    st.lists(st.integers(0, 5) | st.integers(0, 2**63), max_size=3),
    st.binary(max_size=40) | st.lists(st.text(max_size=3), max_size=3).map(texts_as_bytes),
)
def test_any_bytes_are_a_tensor_or_refused(
    datatype: Datatype, shape: list[int], raw: bytes
) -> None:
    try:
        tensor = tensor_from_bytes("x", datatype, shape, raw)
    except InvalidBodyError:
        return
    assert len(tensor.values) == np.prod(shape)


@given(
    st.sampled_from(get_args(Datatype)),
    st.lists(st.integers(0, 4), max_size=3),
    st.lists(JSON, max_size=6) | st.lists(st.lists(st.integers(), max_size=3), max_size=3),
)
def test_any_json_is_a_tensor_or_refused(
    datatype: Datatype, shape: list[int], data: list[Any]
) -> None:
    try:
        tensor = tensor_from_json("x", datatype, shape, data)
    except InvalidBodyError:
        return
    assert len(tensor.values) == np.prod(shape)


@given(
    st.binary(max_size=60),
    st.none() | st.integers(0, 70).map(str) | st.text(max_size=3),
)
def test_any_body_is_refused_by_name(body: bytes, length: str | None) -> None:
    with pytest.raises(InvalidBodyError):
        inference_of(body, json_length=length, columns=PAIR, outputs=("value",))


@given(st.lists(st.tuples(st.floats(allow_nan=False), st.text(max_size=5)), min_size=1))
def test_columns_become_rows(rows: list[tuple[float, str]]) -> None:
    numbers, texts = (list(column) for column in zip(*rows, strict=True))
    made = rows_of(
        [
            tensor_from_json("b", "BYTES", [len(rows), 1], texts),
            tensor_from_json("a", "FP64", [len(rows)], numbers),
        ],
        PAIR,
    )

    assert len(made) == len(rows)
    assert list(made) == [{"a": number, "b": text} for number, text in rows]


@given(hnp.arrays("<f8", (3, 2), elements=st.floats(allow_nan=False)))
def test_a_matrix_becomes_rows_in_the_order_of_the_signature(array: npt.NDArray[Any]) -> None:
    columns = columns_of({"a": ColumnType.DOUBLE, "b": ColumnType.LONG})
    made = rows_of([tensor_from_bytes("any", "FP64", [3, 2], array.tobytes())], columns)

    assert list(made) == [{"a": a, "b": b} for a, b in array.tolist()]
    assert made[0] == {"a": array[0, 0], "b": array[0, 1]}
    assert made[1:] == list(made)[1:]


def test_rows_are_counted_before_they_are_made() -> None:
    columns = columns_of({"a": ColumnType.BOOLEAN})
    made = rows_of([tensor_from_bytes("a", "BOOL", [10**7], bytes(10**7))], columns)

    assert len(made) == 10**7


@pytest.mark.parametrize(("name", "shape"), [("a", [2, 1]), ("other", [2, 1]), ("a", [2])])
def test_a_model_of_one_column_takes_it_under_its_name_or_as_all(
    name: str, shape: list[int]
) -> None:
    columns = columns_of({"a": ColumnType.DOUBLE})

    assert list(rows_of([tensor_from_json(name, "FP64", shape, [1, 2])], columns)) == [
        {"a": 1.0},
        {"a": 2.0},
    ]


def test_numbers_of_json_are_rounded_as_their_datatype_has_them() -> None:
    (rounded,) = plain(tensor_from_json("x", "FP32", [1], [0.1]))

    assert (rounded,) == struct.unpack("<f", struct.pack("<f", 0.1))


def test_each_type_of_column_has_a_datatype() -> None:
    assert set(DATATYPES) == set(ColumnType) - {ColumnType.UNKNOWN}
