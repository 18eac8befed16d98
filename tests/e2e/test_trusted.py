"""Trusted documents, against the real process."""

import json
from pathlib import Path

import httpx2

from tests.e2e.server import running_server, starting_server
from tests.e2e.test_command_line import refused, run

VALID = "query Names { models { nodes { name } } }"


def test_only_trusted_documents_run(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"names": VALID}))
    environ = {
        "GQL_PLATFORM_DOCUMENTS": "trusted",
        "GQL_PLATFORM_TRUSTED_DOCUMENTS": str(manifest),
    }
    with running_server(tmp_path / "data", environ=environ) as server:
        url = f"{server.url}/graphql"
        trusted = httpx2.post(url, json={"documentId": "names"})
        other = httpx2.post(url, json={"query": "{ models { totalCount } }"})

    assert trusted.json()["data"] == {"models": {"nodes": []}}
    assert other.status_code == 400
    assert other.json()["errors"][0]["extensions"]["code"] == "PERSISTED_DOCUMENT_NOT_FOUND"


def test_a_document_that_does_not_go_with_the_schema_ends_the_start(tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()
    file = tmp_path / "documents" / "wrong.graphql"
    file.write_text("query Wrong { predict { nothing } }")
    environ = {"GQL_PLATFORM_TRUSTED_DOCUMENTS": str(file.parent)}
    with starting_server(tmp_path / "data", environ=environ) as server:
        assert server.process.wait(timeout=60) == 1

    written = "".join(server.lines)
    assert "error: The trusted documents cannot be used:" in written
    assert f"{file} (sha256:" in written
    assert "Traceback" not in written


def test_documents_are_listed_and_checked(tmp_path: Path) -> None:
    (tmp_path / "valid.graphql").write_text(VALID)
    environ = {"GQL_PLATFORM_TRUSTED_DOCUMENTS": str(tmp_path)}
    listed = run("documents", "list", **environ)
    checked = run("documents", "check", **environ)
    (tmp_path / "wrong.graphql").write_text("{ nope }")
    failed = run("documents", "check", **environ)

    assert str(tmp_path / "valid.graphql") in listed.stdout
    assert (checked.returncode, checked.stdout) == (0, "1 of 1 documents are valid\n")
    assert failed.returncode == 1
    assert "Cannot query field 'nope' on type 'Query'." in failed.stderr


def test_a_file_that_cannot_be_used_ends_the_start(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    result = run("serve", "--data-dir", str(tmp_path), GQL_PLATFORM_TRUSTED_DOCUMENTS=str(missing))

    refused(result, str(missing), "there is no such file or folder")
