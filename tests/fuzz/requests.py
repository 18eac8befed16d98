"""Requests that nobody would write, drawn from a source of random numbers."""

import json
import random
from typing import Any
from urllib.parse import quote

from gql_platform.contract import operations

WORDS = (
    "query", "mutation", "subscription", "fragment", "on", "true", "null", "models", "model",
    "nodes", "node", "predict", "irisSpecies", "housePrice", "predictRows", "rows", "by", "name",
    "id", "first", "after", "server", "state", "liveMetrics", "__typename", "__schema", "types",
    "$rows", "$v", "@include", "@skip", "if", "{", "}", "(", ")", "[", "]", ":", "!", "=", "...",
    '"', '"""', "1", "-1", "1e999", "0.5", "99999999999999999999", "\\u0000", "é", "😀", "\ud800",
    "#", ",", "&", "|",
)  # fmt: skip
KEYS = ("inputs", "query", "variables", "operationName", "extensions", "documentId", "rows", "a",
        "persistedQuery", "sha256Hash", "version", "sepal length (cm)", "area")  # fmt: skip
TEXTS = ("", " ", "x", "TW9kZWw6eA", "after:x", "../../etc/passwd", "' OR 1=1 --", "%s%n", "\x00",
         "a" * 300, "é", "\ud800", "2026-01-31", "NaN", "champion", "iris_species")  # fmt: skip


class Requests:
    """Draw requests.

    Args:
        seed: What begins the source; a request that fails comes again by it.
    """

    def __init__(self, seed: int) -> None:
        self._source = random.Random(seed)  # noqa: S311 - it draws tests, not secrets

    def graphql(self) -> bytes:
        """Draw the body of a request of GraphQL."""
        kind = self._source.random()
        if kind < 0.05:
            return self._bytes()
        if kind < 0.15:
            return _written(self.value(3))
        body = {"query": self._document()}
        if self._source.random() < 0.7:
            body["variables"] = self.value(3)
        if self._source.random() < 0.3:
            body[self._source.choice(KEYS)] = self.value(2)
        return _written(body)

    def rest(self) -> tuple[str, str, bytes]:
        """Draw method, path and body of a request of REST."""
        method = self._source.choice(("GET", "POST", "POST", "POST", "PUT", "DELETE", "HEAD"))
        drawn = self._source.choice(("iris_species", "house_price", *TEXTS[1:]))
        name = quote(drawn, safe="", errors="surrogatepass")
        path = self._source.choice(
            (f"/predict/{name}", f"/predict/{name}", "/models", f"/models/{name}/info", "/health",
             "/metrics", f"/{name}")
        )  # fmt: skip
        kind = self._source.random()
        body = self._bytes() if kind < 0.1 else _written(self.value(3))
        if kind > 0.4:
            body = _written({"inputs": [self.value(2) for _ in range(self._source.randrange(4))]})
        return method, path, body

    def value(self, depth: int) -> Any:
        """Draw a JSON value."""
        draw = self._source
        kind = draw.randrange(9 if depth else 6)
        if kind < 6:
            return (
                None, draw.random() < 0.5, draw.choice((0, 1, -1, 2**31, 2**63, 10**40, 5)),
                draw.choice((0.5, -1e308, 1e-300, 5.1)), draw.choice(TEXTS), draw.random(),
            )[kind]  # fmt: skip
        if kind == 6:
            return [self.value(depth - 1) for _ in range(draw.randrange(4))]
        return {draw.choice(KEYS): self.value(depth - 1) for _ in range(draw.randrange(4))}

    def _document(self) -> str:
        draw = self._source
        if draw.random() < 0.3:
            return " ".join(draw.choice(WORDS) for _ in range(draw.randrange(30)))
        text = draw.choice(operations()).text
        for _ in range(draw.randrange(4)):
            words = text.split(" ")
            place = draw.randrange(len(words))
            words[place : place + draw.randrange(3)] = [draw.choice(WORDS)]
            text = " ".join(words)
        return text

    def _bytes(self) -> bytes:
        draw = self._source
        return draw.choice((b"", b"{", b"null", b"\xff\xfe", b"[[[[", b'{"query":', b"\x00" * 9))


def _written(value: Any) -> bytes:
    return json.dumps(value).encode()
