"""Nothing is sent where it must not go, however the address is spelled."""

from ipaddress import ip_network

import pytest

from gql_platform.errors import WebhookAddressError
from gql_platform.webhooks.address import AddressGuard, parsed

ODD_SPELLINGS = [
    "", " ", "https://", "https:///x", "http:/a.example/", "https:a.example", "//a.example/",
    "a.example", "ftp://a.example/", "file:///etc/passwd", "gopher://a.example/",
    "unix:///run/docker.sock", "javascript:alert(1)", "data:,x", "https+unix://a.example/",
    " https://a.example/", "https://a.example/ ", "https://a.example/\n", "\thttps://a.example/",
    "https://a.example/a b", "https://a.example/\r\nHost: b", "https://a.example\r\n/",
    "https://a.example\\@127.0.0.1/", "https:\\\\a.example/", "https://a.example\\.b.example/",
    "https://user@a.example/", "https://user:word@a.example/", "https://a.example@127.0.0.1/",
    "https://a.example:443@127.0.0.1/", "https://a.example%40127.0.0.1/", "https://a.example#@b/",
    "https://a.example/#fragment", "https://a.example?x=1", "https://a.example;b/",
    "https://127.1/", "https://127.0.1/", "https://2130706433/", "https://0/",
    "https://0x7f000001/", "https://0x7f.0.0.1/", "https://0x7f.1/", "https://127.0.0.0x1/",
    "https://0177.0.0.1/", "https://017700000001/", "https://127.0.0.01/", "https://127.0.0.1./",
    "https://0127.0.0.1/", "https://256.0.0.1/", "https://1.2.3.4.5/", "https://1.2.3/",
    "https://a.example.0x/", "https://a.example.1/", "https://127.0.0.1.0x7f/",
    "https://%31%32%37.0.0.1/", "https://%6c%6f%63alhost/", "https://127。0。0。1/",
    "https://①②⑦.⓪.⓪.①/", "https://ⓛocalhost/", "https://localho\u017ft/", "https://\u212aube.example/",
    "https://bücher.example/", "https://a\u00ad.example/", "https://a\u200b.example/",
    "https://a\x00.example/", "https://a.example/\x00", "https://a.example/ü",
    "https://a.example./", "https://.a.example/", "https://a..example/", "https://-a.example/",
    "https://a-.example/", "https://a_b.example/", "https://" + "a" * 64 + ".example/",
    "https://" + "a." * 127 + "example/", "https://a.example/" + "x" * 2_000,
    "https://a.example:/", "https://a.example:0/", "https://a.example:00443/",
    "https://a.example:65536/", "https://a.example:99999/", "https://a.example:-1/",
    "https://a.example:4 43/", "https://a.example:443:80/", "https://a.example:x/",
    "https://::1/", "https://[::1/", "https://::1]/", "https://[[::1]]/", "https://[]/",
    "https://[127.0.0.1]/", "https://[::1%25eth0]/", "https://[fe80::1%eth0]/", "https://[::1]x/",
    "https://[v1.fe80::1]/", "https://[1:2]/", "https://[::g]/", "https://[::1]:0/",
    "https://[:::1]/", "https://[::127.1]/", "https://[::ffff:0x7f.0.0.1]/",
]  # fmt: skip

REFUSED_ADDRESSES = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.0", "100.100.100.200",
    "100.127.255.255", "127.0.0.1", "127.0.0.53", "127.255.255.255", "169.254.0.1",
    "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192",
    "192.0.2.1", "192.88.99.1", "192.168.0.1", "192.168.255.255", "198.18.0.1", "198.19.255.255",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::2", "0:0:0:0:0:0:0:1", "0000:0000:0000:0000:0000:0000:0000:0001",
    "::ffff:127.0.0.1", "::ffff:7f00:1", "::FFFF:10.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1",
    "::127.0.0.1", "::7f00:1", "::8.8.8.8", "64:ff9b::127.0.0.1", "64:ff9b::a00:1",
    "64:ff9b::8.8.8.8", "64:ff9b:1::1", "64:ff9b:1:ffff::127.0.0.1", "100::1", "100:0:0:1::1",
    "2001::1", "2001:0:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1",
    "2001:10::1", "2001:20::1", "2001:1ff:ffff::1", "2001:db8::1", "2002::1", "2002:7f00:1::",
    "2002:a00:1::1", "2002:808:808::1", "3fff::1", "3fff:fff::1", "4000::1", "5f00::1",
    "fc00::1", "fd00::1", "fd00:ec2::254", "fdff:ffff::1", "fe80::1", "fe80::a00:1", "febf::1",
    "fec0::1", "feff::1", "ff00::1", "ff02::1", "ff0e::1", "2606:4700::5efe:7f00:1",
    "2606:4700::200:5efe:10.0.0.1",
]  # fmt: skip

PUBLIC_ADDRESSES = [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
    "172.15.255.255", "172.32.0.0", "192.167.255.255", "223.255.255.255", "2001:200::1",
    "2606:4700::1111", "2a00:1450:4001::1", "3ffe::1", "2003::1",
]  # fmt: skip


def written(address: str, *, scheme: str = "https") -> str:
    """Return a web address with an IP address in the place of its host."""
    return f"{scheme}://[{address}]/" if ":" in address else f"{scheme}://{address}/"


class TestSpelling:
    @pytest.mark.parametrize("url", ODD_SPELLINGS)
    def test_odd_spelling_is_refused(self, url: str) -> None:
        """What programs read differently passes nowhere, not even where all is allowed."""
        everywhere = AddressGuard([ip_network("0.0.0.0/0"), ip_network("::/0")])
        with pytest.raises(WebhookAddressError):
            everywhere.check(url)

    @pytest.mark.parametrize(
        ("url", "host", "port", "path", "header"),
        [
            ("https://a.example", "a.example", 443, "/", "a.example"),
            ("HTTPS://A.Example/In?b=%20&c=@", "a.example", 443, "/In?b=%20&c=@", "a.example"),
            ("http://a-1.example:8080/", "a-1.example", 8080, "/", "a-1.example:8080"),
            ("http://receiver:80/x", "receiver", 80, "/x", "receiver"),
            ("https://xn--bcher-kva.example/", *("xn--bcher-kva.example", 443, "/"), None),
            ("https://8.8.8.8/", "8.8.8.8", 443, "/", "8.8.8.8"),
            ("https://[2606:4700::1111]:444/", "2606:4700::1111", 444, "/", None),
        ],
    )
    def test_plain_spelling_is_read(
        self, url: str, host: str, port: int, path: str, header: str | None
    ) -> None:
        """The host, the port and the path are those that are written."""
        target = parsed(url)
        assert (target.host, target.port, target.path) == (host, port, path)
        assert header in (None, target.host_header)

    def test_ipv6_host_has_brackets_in_the_header(self) -> None:
        """A receiver hears its IPv6 address as web addresses write it."""
        assert parsed("https://[2606:4700::1]:444/").host_header == "[2606:4700::1]:444"
        assert parsed("https://[2606:4700::1]:443/").host_header == "[2606:4700::1]"


class TestGuard:
    @pytest.mark.parametrize("address", REFUSED_ADDRESSES)
    def test_address_that_is_not_public_is_refused(self, address: str) -> None:
        """Neither as it is written nor behind a name."""
        guard = AddressGuard()
        with pytest.raises(WebhookAddressError):
            guard.check(written(address))
        with pytest.raises(WebhookAddressError) as refused:
            guard.check_resolved(parsed("https://a.example/"), [address])
        assert refused.value.problem == "its host is not a public one"

    @pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
    def test_public_address_passes(self, address: str) -> None:
        """The neighbours of the refused ranges are hosts like others."""
        target = AddressGuard().check(written(address))
        assert [str(each) for each in AddressGuard().check_resolved(target, [address])] == [address]

    def test_one_refused_address_of_several_refuses_all(self) -> None:
        """A name that also leads inside is not trusted to lead outside."""
        with pytest.raises(WebhookAddressError):
            AddressGuard().check_resolved(parsed("https://a.example/"), ["8.8.8.8", "10.0.0.1"])

    def test_scoped_address_is_refused(self) -> None:
        """An address with the name of an interface belongs to this machine's networks."""
        with pytest.raises(WebhookAddressError):
            AddressGuard().check_resolved(parsed("https://a.example/"), ["2606:4700::1%eth0"])

    def test_name_without_addresses_is_refused(self) -> None:
        """Nothing is sent to nowhere."""
        with pytest.raises(WebhookAddressError) as refused:
            AddressGuard().check_resolved(parsed("https://a.example/"), [])
        assert refused.value.problem == "its host has no address"


class TestAllowedNetworks:
    guard = AddressGuard([ip_network("127.0.0.0/8"), ip_network("fd00:1::/32")])

    @pytest.mark.parametrize("scheme", ["http", "https"])
    @pytest.mark.parametrize("address", ["127.0.0.1", "fd00:1::7"])
    def test_address_inside_passes(self, address: str, scheme: str) -> None:
        """An allowed network may be sent to, with and without TLS."""
        target = self.guard.check(written(address, scheme=scheme))
        (found,) = self.guard.check_resolved(target, [address])
        assert str(found) == address

    @pytest.mark.parametrize(
        "address", ["10.0.0.1", "::1", "::ffff:127.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1"]
    )
    def test_address_outside_is_refused(self, address: str) -> None:
        """One network allows no other, and no other spelling of itself."""
        with pytest.raises(WebhookAddressError):
            self.guard.check(written(address))

    def test_http_to_a_public_address_is_refused(self) -> None:
        """What leaves the allowed networks is encrypted."""
        for address in ("8.8.8.8", "2606:4700::1111"):
            with pytest.raises(WebhookAddressError) as refused:
                self.guard.check(written(address, scheme="http"))
            assert refused.value.problem == "`http` is for allowed networks alone"
        with pytest.raises(WebhookAddressError):
            self.guard.check_resolved(parsed("http://a.example/"), ["8.8.8.8"])

    def test_http_is_refused_where_no_network_is_allowed(self) -> None:
        """A name is told so at once, before it is resolved."""
        with pytest.raises(WebhookAddressError):
            AddressGuard().check("http://a.example/")
        assert self.guard.check("http://a.example/").host == "a.example"

    @pytest.mark.parametrize(
        "address", ["0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "ff02::1"]
    )
    def test_address_of_no_single_host_is_never_allowed(self, address: str) -> None:
        """A list of everything does not mean these."""
        everywhere = AddressGuard([ip_network("0.0.0.0/0"), ip_network("::/0")])
        with pytest.raises(WebhookAddressError):
            everywhere.check(written(address))

    def test_there_are_more_than_a_hundred_hostile_spellings(self) -> None:
        """The lists above are not cut down unnoticed."""
        assert len({*ODD_SPELLINGS, *REFUSED_ADDRESSES}) > 150
