"""Where a message may be sent: to public hosts, and to networks that are allowed by name.

An address is judged twice: as it is written, and as it resolves. What is sent then goes to the
very addresses that were judged, so that a name that resolves anew cannot lead elsewhere.
The ranges are those of the IANA registries of special-purpose addresses (RFC 6890).
"""

import re
from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from gql_platform.errors import WebhookAddressError
from gql_platform.webhooks.records import PORTS, Target

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

MAX_CHARACTERS = 2_000

_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9.-]+)"
    r"(:(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<target>(/[!$-;=?-Z_a-z~]*)?)",
    re.IGNORECASE | re.ASCII,
)
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_IPV4 = re.compile(r"(0|[1-9][0-9]{0,2})(\.(0|[1-9][0-9]{0,2})){3}")

_NEVER = tuple(
    map(ip_network, ("0.0.0.0/8", "224.0.0.0/4", "255.255.255.255/32", "::/128", "ff00::/8"))
)
"""What no list allows: addresses that name no single host."""

_REFUSED_IPV4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # behind a carrier's translation
            "127.0.0.0/8",  # loopback
            "169.254.0.0/16",  # link-local, and the metadata of clouds
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # relays of 6to4
            "192.168.0.0/16",  # private
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)

_PUBLIC_IPV6 = IPv6Network("2000::/3")
"""What is given out to hosts; mapped, translated, local and multicast addresses lie outside."""

_REFUSED_IPV6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments, Teredo among them
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4
            "3fff::/20",  # documentation
        ),
    )
)

_ISATAP = (0x00005EFE, 0x02005EFE)
"""The upper half of an interface's identifier that hides an IPv4 address behind it."""


def parsed(url: str) -> Target:
    """Return the parts of a web address that is written in the plainest way.

    Spellings that programs read differently are refused, whatever they may mean.

    Raises:
        WebhookAddressError: If it is not written so.
    """
    found = _URL.fullmatch(url) if len(url) <= MAX_CHARACTERS else None
    if found is None:
        problem = "it is no plain http or https address without user, fragment and odd characters"
        raise WebhookAddressError(url=url[:MAX_CHARACTERS], problem=problem)
    scheme, host = found["scheme"].lower(), found["host"].lower()
    port = int(found["port"] or PORTS[scheme])
    is_host = _is_ipv6(host[1:-1]) if host[0] == "[" else _is_ipv4(host) or _is_name(host)
    if port > 65_535 or not is_host:
        raise WebhookAddressError(url=url, problem="its host or port is not written as one")
    return Target(url, scheme, host.strip("[]"), port, found["target"] or "/")


def _is_ipv6(host: str) -> bool:
    try:
        return IPv6Address(host).scope_id is None
    except ValueError:
        return False


def _is_ipv4(host: str) -> bool:
    return _IPV4.fullmatch(host) is not None and all(int(each) < 256 for each in host.split("."))


def _is_name(host: str) -> bool:
    labels = host.split(".")
    # A last label that is a number makes some programs read the whole as an IPv4 address.
    is_number = _NUMBER.fullmatch(labels[-1]) is not None
    return len(host) <= 253 and not is_number and all(map(_LABEL.fullmatch, labels))


class AddressGuard:
    """Judge where a message may be sent.

    Args:
        networks: The networks that are allowed although they are not public.
    """

    def __init__(self, networks: Sequence[IPNetwork] = ()) -> None:
        self._networks = tuple(networks)

    def check(self, url: str) -> Target:
        """Return the parts of a web address that may be right; a name is not resolved yet.

        Raises:
            WebhookAddressError: If nothing may ever be sent there.
        """
        target = parsed(url)
        if ":" in target.host or _is_ipv4(target.host):
            self.check_resolved(target, [target.host])
        elif target.scheme == "http" and not self._networks:
            raise WebhookAddressError(url=url, problem="`http` is for allowed networks alone")
        return target

    def check_resolved(self, target: Target, addresses: Sequence[str]) -> tuple[IPAddress, ...]:
        """Return the addresses of a host, when each of them may be sent to.

        Raises:
            WebhookAddressError: If there are none, or one is neither public nor allowed.
        """
        found = tuple(map(ip_address, addresses))
        if not found:
            raise WebhookAddressError(url=target.url, problem="its host has no address")
        for address in found:
            if self._is_allowed(address):
                continue
            if target.scheme == "http":
                raise WebhookAddressError(
                    url=target.url, problem="`http` is for allowed networks alone"
                )
            if not is_public(address):
                # Which address it is would tell callers about the network inside.
                raise WebhookAddressError(url=target.url, problem="its host is not a public one")
        return found

    def _is_allowed(self, address: IPAddress) -> bool:
        # A list that allows all networks, such as 0.0.0.0/0, does not mean these.
        if any(address in each for each in _NEVER):
            return False
        return any(address in each for each in self._networks)


def is_public(address: IPAddress) -> bool:
    """Return whether an address is one of the public internet, and hides no other one."""
    if isinstance(address, IPv4Address):
        return not any(address in each for each in _REFUSED_IPV4)
    if address.scope_id is not None or address not in _PUBLIC_IPV6:
        return False
    is_isatap = (int(address) >> 32) & 0xFFFFFFFF in _ISATAP
    return not is_isatap and not any(address in each for each in _REFUSED_IPV6)
