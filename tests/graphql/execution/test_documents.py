"""Documents by their texts, their ids and their hashes."""

import asyncio
import gc
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import hypothesis
import pytest
from hypothesis import strategies as st

from gql_platform.graphql.execution import documents
from gql_platform.graphql.execution.documents import SHA256, DocumentStore, hash_of
from gql_platform.graphql.execution.endpoint import GraphQLEndpoint
from gql_platform.graphql.execution.limits.guard import Guard
from gql_platform.graphql.execution.request import OperationRequest
from gql_platform.graphql.execution.trusted import (
    DocumentFileError,
    TrustedDocument,
    read_documents,
)
from gql_platform.graphql.schema import build_schema
from tests.graphql.execution.limits.hostile import hostile_documents
from tests.graphql.execution.products import Stage, product

HELLO = "query Hello { hello }"
ID = f"{SHA256}{hash_of(HELLO)}"
TRUSTED = TrustedDocument("hello", HELLO, "hello.graphql")
GUARD = Guard(product()._schema)


async def asked(body: dict[str, Any], *before: dict[str, Any], **options: Any) -> httpx2.Response:
    """Return the answer to a request, after others."""
    schema = product(**options)
    endpoint = GraphQLEndpoint(
        lambda _: schema, context_of=lambda _: Stage(), request_id_of=lambda _: "r1"
    )
    transport = httpx2.ASGITransport(endpoint)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        for each in before:
            await client.post("/", json=each)
        return await client.post("/", json=body)


def code_of(response: httpx2.Response) -> str:
    """Return the code of the one error."""
    (error,) = response.json()["errors"]
    extensions = error.get("extensions", {})
    return str(extensions.get("code"))


def persisted(text: str | None, digest: str) -> dict[str, Any]:
    """Return the body of an automatic persisted query."""
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": digest}}
    return {"extensions": extensions, **({"query": text} if text else {})}


@contextmanager
def busy_intake() -> Iterator[None]:
    """Keep the thread busy that takes new documents in."""
    gate = threading.Event()
    busy = documents._INTAKE.submit(gate.wait)
    try:
        yield
    finally:
        gate.set()
        busy.result()


@pytest.mark.anyio
class TestOpen:
    """Any document runs."""

    @pytest.mark.parametrize("document_id", ["hello", ID])
    async def test_trusted_ones_run_by_their_ids(self, document_id: str) -> None:
        response = await asked({"documentId": document_id}, trusted=[TRUSTED])
        assert response.json()["data"] == {"hello": "Hello, you"}

    async def test_those_that_ran_run_by_their_hashes(self) -> None:
        response = await asked({"documentId": ID}, {"query": HELLO})
        assert response.json()["data"] == {"hello": "Hello, you"}

    @pytest.mark.parametrize("document_id", ["hello", ID])
    async def test_unknown_ones_are_told(self, document_id: str) -> None:
        response = await asked({"documentId": document_id})
        assert (response.status_code, code_of(response)) == (400, "PERSISTED_DOCUMENT_NOT_FOUND")

    async def test_clients_store_them_by_hash(self) -> None:
        digest = hash_of(HELLO)
        first = await asked(persisted(None, digest))
        stored = await asked(persisted(HELLO, digest))
        again = await asked(persisted(None, digest), persisted(HELLO, digest))
        assert (first.status_code, code_of(first)) == (200, "PERSISTED_QUERY_NOT_FOUND")
        assert first.json()["errors"][0]["message"] == "PersistedQueryNotFound"
        assert stored.json()["data"] == again.json()["data"] == {"hello": "Hello, you"}

    async def test_hash_of_another_text_is_refused(self) -> None:
        response = await asked(persisted("{ hello }", hash_of(HELLO)))
        assert (response.status_code, code_of(response)) == (400, "PERSISTED_QUERY_HASH_MISMATCH")

    async def test_refused_text_is_not_kept(self) -> None:
        wrong = "{ nope }"
        response = await asked({"documentId": f"{SHA256}{hash_of(wrong)}"}, {"query": wrong})
        assert code_of(response) == "PERSISTED_DOCUMENT_NOT_FOUND"

    @pytest.mark.parametrize(
        "body",
        [
            {"documentId": 5},
            {"documentId": ""},
            {"documentId": "hello", "query": HELLO},
            {"extensions": {"persistedQuery": 5}},
            {"extensions": {"persistedQuery": {"version": 1}}},
            {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "ABC"}}},
            {"extensions": {"persistedQuery": {"version": 2, "sha256Hash": hash_of(HELLO)}}},
            {},
        ],
    )
    async def test_what_names_no_document_is_refused(self, body: dict[str, Any]) -> None:
        response = await asked(body, trusted=[TRUSTED])
        assert (response.status_code, code_of(response)) == (400, "INVALID_BODY")


@pytest.mark.anyio
class TestTrustedOnly:
    """No other documents run than trusted ones."""

    @pytest.mark.parametrize(
        "body", [{"documentId": "hello"}, {"documentId": ID}, {"query": HELLO}]
    )
    async def test_they_run(self, body: dict[str, str]) -> None:
        response = await asked(body, trusted=[TRUSTED], only_trusted=True)
        assert response.json()["data"] == {"hello": "Hello, you"}

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({"query": "{ hello }"}, 400, "PERSISTED_DOCUMENT_NOT_FOUND"),
            ({"documentId": "other"}, 400, "PERSISTED_DOCUMENT_NOT_FOUND"),
            (persisted("{ hello }", hash_of("{ hello }")), 200, "PERSISTED_QUERY_NOT_SUPPORTED"),
        ],
    )
    async def test_others_do_not(self, body: dict[str, Any], status: int, code: str) -> None:
        response = await asked(body, body, trusted=[TRUSTED], only_trusted=True)
        assert (response.status_code, code_of(response)) == (status, code)


@pytest.mark.anyio
class TestStore:
    """What is kept, and for how long."""

    def test_trusted_document_that_is_wrong_is_a_problem(self) -> None:
        wrong = TrustedDocument("wrong", "{ nope }", "wrong.graphql")
        store = DocumentStore(GUARD, trusted=[TRUSTED, wrong])
        assert [error.message for error in store.problems["wrong"]] == [
            "Cannot query field 'nope' on type 'Query'."
        ]
        assert list(store.problems) == ["wrong"]

    async def test_known_documents_do_not_wait_for_new_ones(self) -> None:
        """While one is parsed and validated, the event loop serves the others."""
        store = DocumentStore(GUARD, trusted=[TRUSTED])
        with busy_intake():
            coming = asyncio.create_task(store.check("query New { hello }"))
            known = await store.find(OperationRequest(HELLO))
            assert (known.errors, coming.done(), len(store)) == ([], False, 0)
        assert (await coming).errors == []
        assert len(store) == 1

    async def test_client_that_goes_away_takes_its_document_along(self) -> None:
        """What waits to be parsed is not, when nobody asks for it any more."""
        store = DocumentStore(GUARD)
        parsed: list[str] = []
        store._checked = parsed.append  # type: ignore[assignment, method-assign]
        with busy_intake():
            coming = asyncio.create_task(store.check("query New { hello }"))
            await asyncio.sleep(0)
            coming.cancel()
            with pytest.raises(asyncio.CancelledError):
                await coming
        documents._INTAKE.submit(lambda: None).result()
        assert parsed == []

    @pytest.mark.parametrize(
        "family", ["duplicate_objects", "same_spread", "comments_around", "unclosed"]
    )
    async def test_refused_document_leaves_no_garbage(self, family: str) -> None:
        """Almost nothing of it waits for the garbage collector."""
        store = DocumentStore(Guard(build_schema()._schema))
        text = next(each.text for each in hostile_documents(1) if each.family == family)
        await store.check(text)
        gc.collect()
        gc.disable()
        try:
            refused = await store.check(text)
            assert refused.measured is None
            del refused
            assert gc.collect() < 100
        finally:
            gc.enable()

    @hypothesis.given(st.lists(st.integers(0, 12), max_size=60))
    def test_length_of_what_is_kept_is_bounded(self, names: list[int]) -> None:
        store = DocumentStore(GUARD, trusted=[TRUSTED], capacity=60)
        texts = [f"query Q{name} {{ hello }}" for name in names]

        async def check_all() -> None:
            for text in texts:
                assert (await store.check(text)).errors == []
                assert (await store.check(HELLO)).errors == []

        asyncio.run(check_all())
        last = list(dict.fromkeys(reversed(texts)))
        assert len(store) <= len(last)
        assert sum(map(len, list(store._documents))) <= 60
        assert set(store._texts.values()) == set(store._documents)


class TestFiles:
    """Where trusted documents come from."""

    def test_folder_of_documents_and_manifests(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "hello.graphql").write_text(HELLO)
        (tmp_path / "relay.json").write_text(json.dumps({"5d41": "{ hello }"}))
        apollo = {
            "format": "apollo-persisted-query-manifest",
            "version": 1,
            "operations": [{"id": hash_of(HELLO), "body": HELLO, "name": "Hello", "type": "query"}],
        }
        (tmp_path / "apollo.json").write_text(json.dumps(apollo))
        found = {each.id: each.text for each in read_documents(tmp_path)}
        assert found == {ID: HELLO, "5d41": "{ hello }", hash_of(HELLO): HELLO}

    @pytest.mark.parametrize(
        ("name", "content", "problem"),
        [
            ("a.json", "{", "it is no JSON"),
            ("a.json", "[]", "it must be an object of documents by their ids"),
            ("a.json", '{"a": 5}', "it must be an object of documents by their ids"),
            (
                "a.json",
                json.dumps({hash_of("x"): HELLO}),
                "is not the hash of its text",
            ),
            ("a.txt", "", "it is neither a document"),
            (".hidden", "", "it has no document"),
        ],
    )
    def test_what_cannot_be_used_is_told(
        self, tmp_path: Path, name: str, content: str, problem: str
    ) -> None:
        (tmp_path / name).write_text(content)
        with pytest.raises(DocumentFileError, match=problem):
            read_documents(tmp_path)

    def test_two_texts_of_one_id_are_refused(self, tmp_path: Path) -> None:
        (tmp_path / "a.json").write_text('{"x": "{ a }"}')
        (tmp_path / "b.json").write_text('{"x": "{ b }"}')
        with pytest.raises(DocumentFileError, match="another text"):
            read_documents(tmp_path)

    def test_missing_path_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(DocumentFileError, match="there is no such file"):
            read_documents(tmp_path / "nowhere")

    def test_file_that_is_no_text_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "a.graphql").write_bytes(b"\xff")
        with pytest.raises(DocumentFileError, match="it cannot be read"):
            read_documents(tmp_path / "a.graphql")
