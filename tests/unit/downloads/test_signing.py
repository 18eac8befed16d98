"""Tokens permit what they say, as long as they say, and cannot be forged."""

import base64
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_platform.downloads.records import DownloadGrant
from gql_platform.downloads.signing import MAX_TOKEN, grant_of, token_of
from gql_platform.errors import DownloadExpiredError, InvalidDownloadError

KEY = bytes(range(32))
NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
GRANT = DownloadGrant("artifact", "run-1/model/a.bin", "a.bin", NOON)
PAYLOAD = b'["artifact","run-1/model/a.bin","a.bin",1769860800]'


def text_of(value: bytes) -> str:
    """Write bytes as tokens do."""
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def by_hand(payload: bytes = PAYLOAD, *, key: bytes = KEY, purpose: bytes = b"download:1:") -> str:
    """Make a token without the code that is tested."""
    written = text_of(payload)
    signature = hmac.new(key, purpose + written.encode(), "sha256").digest()
    return f"{written}.{text_of(signature)}"


class TestTokens:
    def test_token_is_the_payload_and_its_signature(self) -> None:
        """The form is the documented one, so that links survive a change of the code."""
        assert token_of(GRANT, key=KEY) == by_hand()

    @given(st.text(max_size=40), st.text(max_size=40))
    def test_any_text_comes_back(self, key: str, name: str) -> None:
        """Keys and names have any characters, and stand in an address all the same."""
        grant = DownloadGrant("kind", key, name, NOON)
        token = token_of(grant, key=KEY)
        assert all(letter.isascii() and (letter.isalnum() or letter in "-_.") for letter in token)
        assert grant_of(token, key=KEY, now=NOON - timedelta(seconds=1)) == grant

    def test_expired_is_told_from_forged(self) -> None:
        """At the end of its time it is over, and the error says since when."""
        token = token_of(GRANT, key=KEY)
        with pytest.raises(DownloadExpiredError) as expired:
            grant_of(token, key=KEY, now=NOON)
        assert expired.value.expired_at == "2026-01-31T12:00:00+00:00"

    @pytest.mark.parametrize(
        "token",
        [
            "",
            ".",
            "a",
            "a.b.c",
            text_of(PAYLOAD),
            text_of(PAYLOAD) + ".",
            by_hand(key=bytes(32)),
            by_hand(purpose=b""),
            by_hand() + "=",
            by_hand()[:-1],
            by_hand() + ".",
            text_of(PAYLOAD.replace(b"run-1", b"run-2")) + "." + by_hand().partition(".")[2],
            "é" + by_hand(),
            "a" * (MAX_TOKEN + 1),
        ],
    )
    def test_forged_is_refused(self, token: str) -> None:
        """Whatever was changed, cut off, or signed by somebody else or for something else."""
        with pytest.raises(InvalidDownloadError):
            grant_of(token, key=KEY, now=NOON - timedelta(days=1))

    def test_no_character_may_change(self) -> None:
        """Not even the last one, whose lowest bits base64 does not use."""
        token = token_of(GRANT, key=KEY)
        for place, letter in enumerate(token):
            other = "A" if letter != "A" else "B"
            with pytest.raises(InvalidDownloadError):
                grant_of(token[:place] + other + token[place + 1 :], key=KEY, now=NOON)

    def test_forged_and_expired_is_forged(self) -> None:
        """Nothing of what a forger wrote is read, not even when it ends."""
        with pytest.raises(InvalidDownloadError):
            grant_of(by_hand(key=b"x" * 32), key=KEY, now=NOON + timedelta(days=1))

    def test_token_that_no_proxy_lets_through_is_not_made(self) -> None:
        """What cannot be fetched is not promised."""
        with pytest.raises(ValueError, match="8192"):
            token_of(DownloadGrant("kind", "x" * 7000, "x", NOON), key=KEY)
