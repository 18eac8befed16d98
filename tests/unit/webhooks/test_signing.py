"""Signatures are those of the specification."""

import base64
from datetime import UTC, datetime

import pytest

from gql_platform.errors import WebhookSecretError
from gql_platform.webhooks.signing import check_secret, new_secret, signature, signed_headers

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - of the published example
MESSAGE_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
"""The example that the libraries of Standard Webhooks test themselves with."""

TIME = datetime.fromtimestamp(1_614_265_330, UTC)


class TestSignature:
    def test_published_example_is_signed_alike(self) -> None:
        """The id, the time and the body come to the published signature."""
        assert signature(MESSAGE_ID, "1614265330", BODY, secret=SECRET) == SIGNATURE

    def test_headers_carry_id_time_and_signature(self) -> None:
        """A message goes out with the three headers of the specification."""
        assert signed_headers(MESSAGE_ID, BODY, time=TIME, secrets=[SECRET]) == {
            "webhook-id": MESSAGE_ID,
            "webhook-timestamp": "1614265330",
            "webhook-signature": SIGNATURE,
        }

    def test_two_secrets_sign_side_by_side(self) -> None:
        """While a secret is replaced, a receiver finds the signature of either."""
        other = new_secret(bytes)
        headers = signed_headers(MESSAGE_ID, BODY, time=TIME, secrets=[other, SECRET])
        first, second = headers["webhook-signature"].split(" ")
        assert first == signature(MESSAGE_ID, "1614265330", BODY, secret=other)
        assert second == SIGNATURE

    @pytest.mark.parametrize(
        "changed", [("x", "1614265330", BODY), (MESSAGE_ID, "1", BODY), (MESSAGE_ID, "1", b"")]
    )
    def test_each_part_is_signed(self, changed: tuple[str, str, bytes]) -> None:
        """Whoever changes the id, the time or the body changes the signature."""
        assert signature(*changed, secret=SECRET) != SIGNATURE


class TestSecret:
    def test_new_secret_can_sign(self) -> None:
        """A new secret is written as the specification asks for, from the bytes it was given."""
        secret = new_secret(bytes)
        check_secret(secret)
        assert secret == "whsec_" + base64.b64encode(bytes(32)).decode()

    @pytest.mark.parametrize("count", [24, 64])
    def test_lengths_in_bounds_pass(self, count: int) -> None:
        """The shortest and the longest secret are taken."""
        check_secret("whsec_" + base64.b64encode(bytes(count)).decode())

    @pytest.mark.parametrize(
        "secret",
        [
            "",
            "whsec_",
            "secret",
            SECRET.removeprefix("whsec_"),
            SECRET + "!",
            SECRET[:-1],
            "whsec_ünsicher",
            "whsec_" + base64.b64encode(bytes(23)).decode(),
            "whsec_" + base64.b64encode(bytes(65)).decode(),
        ],
    )
    def test_what_cannot_sign_is_refused(self, secret: str) -> None:
        """The error says how a secret is written, and does not repeat it."""
        with pytest.raises(WebhookSecretError) as refused:
            check_secret(secret)
        assert refused.value.data == {"minimum": 24, "maximum": 64}
