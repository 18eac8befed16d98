"""How hosts, origins and networks are written in settings."""

import re
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Annotated

from pydantic import AfterValidator
from pydantic_settings import NoDecode

_HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_ORIGIN = re.compile(r"https?://([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")


def is_address(text: str) -> bool:
    """Return whether a text is an IP address."""
    return _is_made_by(ip_address, text)


def is_host(text: str) -> bool:
    """Return whether a `Host` header can name a text, but for the port."""
    return _HOST_NAME.fullmatch(text) is not None or is_address(text)


def is_origin(text: str) -> bool:
    """Return whether browsers send a text as `Origin`."""
    return _ORIGIN.fullmatch(text) is not None


def is_network(text: str) -> bool:
    """Return whether a text is an IP network, and not a host within one."""
    return _is_made_by(ip_network, text)


def _is_made_by(make: Callable[[str], object], text: str) -> bool:
    try:
        make(text)
    except ValueError:
        return False
    return True


def _each(is_right: Callable[[str], bool], expected: str) -> AfterValidator:
    """Refuse names that are written in another way."""

    def check(names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not is_right(name):
                raise ValueError(f"{expected}, unlike {name!r}")
        return names

    return AfterValidator(check)


_WEB_ORIGINS = "origins such as https://app.example.com, in lower case and without a path"

Names = Annotated[tuple[str, ...], NoDecode]
"""Several names in one setting, which is no JSON."""

Hosts = Annotated[Names, _each(is_host, "host names such as ml.example.com")]
Origins = Annotated[Names, _each(is_origin, _WEB_ORIGINS)]
Networks = Annotated[Names, _each(is_network, "networks such as 10.1.0.0/16 or fd00::/8")]
