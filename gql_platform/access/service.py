"""Who is calling, by the key that they show."""

import hmac
from dataclasses import replace

from gql_platform.access.records import ANONYMOUS, LOCAL, Viewer
from gql_platform.errors import InvalidKeyError

OPERATOR = replace(LOCAL, name="operator")
"""The holder of API_SECRET_KEY."""


class Access:
    """Tell callers apart.

    Args:
        secret_key: The one key of this server, or None when it is open to its own machine.
    """

    def __init__(self, *, secret_key: str | None) -> None:
        self._secret_key = secret_key.encode() if secret_key is not None else None

    def viewer(self, authorization: str | None) -> Viewer:
        """Return the caller who sent an ``Authorization`` header.

        Args:
            authorization: The header's value, ``Bearer <key>``, or None when it is missing.

        Raises:
            InvalidKeyError: If it is another scheme or another key.
        """
        if self._secret_key is None:
            return LOCAL
        if authorization is None:
            return ANONYMOUS
        scheme, _, key = authorization.partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(
            key.strip().encode(), self._secret_key
        ):
            raise InvalidKeyError
        return OPERATOR
