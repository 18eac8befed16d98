"""Only paths that name a file of a run are let pass."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_platform.artifacts.paths import checked_file, checked_path, is_nameable
from gql_platform.errors import InvalidArtifactPathError

PROBLEMS = {
    "..": "it has the part '..'",
    "../x": "it has the part '..'",
    "a/../b": "it has the part '..'",
    "a/..": "it has the part '..'",
    ".": "it has the part '.'",
    "a/./b": "it has the part '.'",
    "/etc/passwd": "it is absolute",
    "//a": "it is absolute",
    "C:/Windows": "it is absolute",
    "c:x": "it is absolute",
    "a//b": "it has an empty part",
    "a/": "it has an empty part",
    "..\\x": "it has a backslash",
    "a\\b": "it has a backslash",
    "a\x00.txt": "it has a character that is no text",
    "a\nb": "it has a character that is no text",
    "a\udcff": "it has a character that is no text",
    "%2e%2e/x": "it has the part '..'",
    "%2E%2E%2Fx": "it has the part '..'",
    ".%2e/x": "it has the part '..'",
    "%252e%252e/x": "it has the part '..'",
    "a/%25252e%25252e": "it has the part '..'",
    "%2fetc": "it is absolute",
    "a%2f%2fb": "it has an empty part",
    "a%5cb": "it has a backslash",
    "a%00": "it has a character that is no text",
    "x" * 256: "it has a part of more than 255 bytes",
    "é" * 128: "it has a part of more than 255 bytes",
    "a/" * 500 + "b": "it has more than 1000 characters",
}


class TestPaths:
    @pytest.mark.parametrize(("path", "problem"), PROBLEMS.items())
    def test_wrong_one_is_refused(self, path: str, problem: str) -> None:
        """The error says what is wrong with it."""
        with pytest.raises(InvalidArtifactPathError) as refused:
            checked_path(path)
        assert refused.value.problem == problem
        assert not is_nameable(path)

    @pytest.mark.parametrize(
        "path",
        [
            "",
            "MLmodel",
            "model/data/model.pkl",
            "...",
            "..a/b..",
            ".hidden",
            "a b/c#d?.txt",
            "100%.txt",
            "50%25.txt",
            "a%2eb",
            "größe/模型.bin",
            "x" * 255,
        ],
    )
    def test_right_one_is_left_as_it_is(self, path: str) -> None:
        """Nothing is decoded, normalised or cut."""
        assert checked_path(path) == path
        assert is_nameable(path)

    def test_root_is_no_file(self) -> None:
        """Where a file is wanted, the empty path is refused too."""
        with pytest.raises(InvalidArtifactPathError, match="it is empty"):
            checked_file("")
        assert checked_file("a") == "a"

    @given(st.lists(st.sampled_from(["..", ".", "", "a", "\\", "\x00"]), min_size=1, max_size=6))
    def test_no_spelling_leads_out(self, parts: list[str]) -> None:
        """However often a path is encoded, it is right exactly when its plain form is."""
        plain = "/".join(parts)
        is_right = all(part == "a" for part in parts) or plain == ""
        spelled = plain
        for _ in range(3):
            assert is_nameable(spelled) == is_right
            spelled = quote(spelled, safe="").replace(".", "%2e")
