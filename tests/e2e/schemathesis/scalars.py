"""What Schemathesis sends for scalars that it does not know; it runs in its environment."""

from hypothesis import strategies as st
from schemathesis.graphql import (  # type: ignore[import-not-found] # pyright: ignore[reportMissingImports]
    nodes,
    scalar,
)

numbers = st.floats(allow_nan=False, allow_infinity=False).map(nodes.Float)
texts = st.text(max_size=20).map(nodes.String)
row = st.lists(st.one_of(numbers, texts), max_size=30).map(nodes.List)

scalar("Rows", st.one_of(st.lists(row, max_size=4).map(nodes.List), texts))
scalar("ExactNumber", st.one_of(numbers, texts))
