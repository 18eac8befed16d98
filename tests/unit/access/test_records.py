"""Viewers pass with the permission, and only then."""

import pytest

from gql_platform.access.records import ANONYMOUS, LOCAL, Permission, Viewer
from gql_platform.errors import ForbiddenError, UnauthenticatedError

READER = Viewer(name="reader", permissions=frozenset({Permission.MODEL_READ}))


class TestViewer:
    @pytest.mark.parametrize("permission", list(Permission))
    def test_local_user_may_do_everything(self, permission: Permission) -> None:
        """The user of the machine has every permission."""
        LOCAL.require(permission)

    @pytest.mark.parametrize("permission", list(Permission))
    def test_anonymous_caller_must_show_a_key(self, permission: Permission) -> None:
        """Without a key nothing is allowed, and the error asks for one."""
        with pytest.raises(UnauthenticatedError):
            ANONYMOUS.require(permission)

    def test_permission_is_needed_for_each_thing(self) -> None:
        """A key that may read may not predict."""
        READER.require(Permission.MODEL_READ)
        with pytest.raises(ForbiddenError) as caught:
            READER.require(Permission.MODEL_PREDICT)
        assert caught.value.data == {"permission": "model:predict"}
