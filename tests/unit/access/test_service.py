"""Callers are told apart by the key that they show."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gql_platform.access.records import ANONYMOUS, LOCAL, Permission
from gql_platform.access.service import OPERATOR, Access
from gql_platform.errors import InvalidKeyError

SECRET = "correct-horse-battery"  # noqa: S105 - a key for tests


class TestOpenServer:
    @pytest.mark.parametrize("header", [None, "", "Bearer x", "Basic eA=="])
    def test_everybody_is_the_local_user(self, header: str | None) -> None:
        """Where no key is configured, nobody needs one, and none is wrong."""
        assert Access(secret_key=None).viewer(header) is LOCAL


class TestServerWithKey:
    access = Access(secret_key=SECRET)

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
    def test_holder_of_the_key_is_the_operator(self, scheme: str) -> None:
        """The key opens everything, however the scheme is written."""
        viewer = self.access.viewer(f"{scheme} {SECRET}")
        assert viewer is OPERATOR
        assert viewer.permissions == frozenset(Permission)
        assert not viewer.is_anonymous

    def test_caller_without_header_is_anonymous(self) -> None:
        """No header is no mistake; what needs a permission will ask for one."""
        assert self.access.viewer(None) is ANONYMOUS

    @pytest.mark.parametrize(
        "header",
        [
            "",
            "Bearer",
            "Bearer ",
            SECRET,
            f"Basic {SECRET}",
            f"Bearer {SECRET}x",
            f"Bearer {SECRET[:-1]}",
            f"Bearer {SECRET.upper()}",
            "Bearer ä",
        ],
    )
    def test_wrong_header_is_refused(self, header: str) -> None:
        """A wrong key is told as such, and does not pass as no key at all."""
        with pytest.raises(InvalidKeyError):
            self.access.viewer(header)

    @given(st.text(st.characters(exclude_categories=["Cs"])))
    def test_no_other_key_opens(self, key: str) -> None:
        """Whatever is shown, only the key itself opens."""
        assume(key.strip() != SECRET)
        with pytest.raises(InvalidKeyError):
            self.access.viewer(f"Bearer {key}")

    def test_error_does_not_repeat_the_key(self) -> None:
        """What was shown appears nowhere in the answer."""
        with pytest.raises(InvalidKeyError) as caught:
            self.access.viewer("Bearer almost-the-secret")
        assert "almost-the-secret" not in str(caught.value)
        assert caught.value.data == {}
