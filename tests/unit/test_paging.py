"""Pages are cut by key, and cursors are opaque and checked."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_platform.errors import InvalidCursorError, PageSizeError
from gql_platform.paging import (
    MAX_PAGE_SIZE,
    Page,
    decode_cursor,
    encode_cursor,
    page_of,
    page_size,
)

# A lone surrogate is no text that a registry or a request could hold.
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


class TestCursors:
    @given(TEXT)
    def test_key_comes_back(self, key: str) -> None:
        """Whatever the key, decoding the cursor gives it back."""
        assert decode_cursor(encode_cursor(key)) == key

    @given(TEXT)
    def test_cursor_fits_into_an_address(self, key: str) -> None:
        """A cursor has only letters, digits, dashes and underscores."""
        cursor = encode_cursor(key)
        assert cursor.isascii()
        assert cursor.replace("-", "").replace("_", "").isalnum()

    @given(st.text())
    def test_any_text_is_decoded_or_refused(self, text: str) -> None:
        """Foreign text raises the one error that is meant for it, or is a cursor after all."""
        try:
            key = decode_cursor(text)
        except InvalidCursorError as error:
            answer = error.cursor
        else:
            answer = encode_cursor(key)
        assert answer == text

    @pytest.mark.parametrize(
        "cursor",
        [
            "",
            "=",
            "a",
            "ä",
            "not a cursor",
            base64.urlsafe_b64encode(b"before:iris").decode().rstrip("="),
            base64.urlsafe_b64encode(b"after").decode().rstrip("="),
            base64.urlsafe_b64encode(b"after:\xff").decode().rstrip("="),
            encode_cursor("a") + "=",
            encode_cursor("iris") + "\n",
            encode_cursor("a>>?").replace("-", "+").replace("_", "/"),
        ],
    )
    def test_malformed_cursor_is_refused(self, cursor: str) -> None:
        """What was not made here is refused, however close it comes."""
        with pytest.raises(InvalidCursorError) as caught:
            decode_cursor(cursor)
        assert caught.value.data == {"cursor": cursor}


class TestPageSize:
    @pytest.mark.parametrize("first", [1, MAX_PAGE_SIZE])
    def test_bounds_are_taken(self, first: int) -> None:
        """The smallest and the largest page are pages."""
        assert page_size(first) == first

    @pytest.mark.parametrize("first", [-1, 0, MAX_PAGE_SIZE + 1])
    def test_outside_is_refused(self, first: int) -> None:
        """Nothing, less than nothing, or too much is refused with what was asked for."""
        with pytest.raises(PageSizeError) as caught:
            page_size(first)
        assert caught.value.data == {"first": first, "maximum": MAX_PAGE_SIZE}


class TestPageOf:
    def test_extra_record_tells_that_the_list_goes_on(self) -> None:
        """One record more than the page holds is not shown, but sets `has_next`."""
        page = page_of("abc", ["a", "b", "c"], first=2, after=None, total=9)
        assert page == Page(
            items=("a", "b"),
            cursors=(encode_cursor("a"), encode_cursor("b")),
            has_next=True,
            has_previous=False,
            total_count=9,
        )

    def test_last_page(self) -> None:
        """A page with nothing behind it says so, and one behind a cursor has something before."""
        page = page_of("c", ["c"], first=2, after=encode_cursor("b"), total=None)
        assert page == Page(
            items=("c",),
            cursors=(encode_cursor("c"),),
            has_next=False,
            has_previous=True,
            total_count=None,
        )

    @given(st.lists(TEXT, unique=True), st.integers(1, 7))
    def test_walking_all_pages_gives_each_item_once(self, names: list[str], first: int) -> None:
        """Going from cursor to cursor visits the whole list in order, each item once."""
        names.sort()
        seen: list[str] = []
        after: str | None = None
        while True:
            key = decode_cursor(after) if after is not None else None
            found = [name for name in names if key is None or name > key][: first + 1]
            page = page_of(found, found, first=first, after=after, total=len(names))
            seen += page.items
            if not page.has_next:
                break
            after = page.cursors[-1]
        assert seen == names
