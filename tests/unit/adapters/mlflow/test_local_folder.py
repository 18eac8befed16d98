"""Nothing outside of a folder is shown as lying in it."""

import os
from pathlib import Path

import pytest

from gql_platform.adapters.mlflow.local_folder import LocalFolder
from gql_platform.adapters.mlflow.place import Found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a file and a folder, beside a secret."""
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "root-of-others").mkdir()
    (tmp_path / "root-of-others" / "secret.txt").write_text("secret")
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "a.txt").write_text("a")
    (root / "sub" / "b.txt").write_text("bb")
    return root


def no_folder() -> Path:
    """Fail: files of this machine are not copied."""
    raise AssertionError


def names(folder: LocalFolder, path: str = "") -> list[str]:
    """Return what a folder lists."""
    found = folder.entries(path, limit=100)
    assert found is not None
    return [each.path for each in found]


class TestLinks:
    @pytest.mark.parametrize(
        "target", ["../secret.txt", "..", "../root-of-others", "/etc", "/etc/passwd"]
    )
    def test_link_that_leads_out_is_not_there(self, root: Path, target: str) -> None:
        """Neither itself nor what is behind it, and no list has it."""
        (root / "link").symlink_to(target)
        folder = LocalFolder(root)
        for path in ("link", "link/secret.txt", "link/passwd", "link/root/a.txt"):
            if path != "link/root/a.txt":
                assert folder.find(path) is None
                assert folder.file(path, no_folder) is None
            assert folder.entries(path, limit=9) is None
        assert names(folder) == ["a.txt", "sub"]

    def test_link_out_of_a_folder_below_is_not_there_either(self, root: Path) -> None:
        """Wherever it lies, also in two steps."""
        (root / "sub" / "first").symlink_to("second")
        (root / "sub" / "second").symlink_to("../../secret.txt")
        assert LocalFolder(root).find("sub/first") is None
        assert names(LocalFolder(root), "sub") == ["sub/b.txt"]

    def test_link_within_is_followed(self, root: Path) -> None:
        """The file is found under both names, and read where it really is."""
        (root / "link").symlink_to("sub/b.txt")
        (root / "folder").symlink_to("sub")
        folder = LocalFolder(root)
        assert folder.find("link") == Found("link", is_folder=False, size_bytes=2)
        assert folder.file("folder/b.txt", no_folder) == (root / "sub" / "b.txt").resolve()
        assert names(folder, "folder") == ["folder/b.txt"]

    def test_root_may_be_a_link(self, root: Path, tmp_path: Path) -> None:
        """Where the whole folder lies is the operator's business."""
        (tmp_path / "alias").symlink_to(root)
        assert names(LocalFolder(tmp_path / "alias")) == ["a.txt", "sub"]

    def test_links_that_lead_nowhere_are_not_there(self, root: Path) -> None:
        """Neither one without an end, nor one in a circle."""
        (root / "nowhere").symlink_to("gone")
        (root / "circle").symlink_to("circle")
        folder = LocalFolder(root)
        assert (folder.find("nowhere"), folder.find("circle")) == (None, None)
        assert names(folder) == ["a.txt", "sub"]

    def test_folder_that_begins_alike_is_another(self, root: Path) -> None:
        """`root-of-others` does not lie in `root`."""
        assert LocalFolder(root).find("../root-of-others/secret.txt") is None


class TestKinds:
    def test_pipes_are_not_there(self, root: Path) -> None:
        """Whoever opened one would wait for somebody who writes."""
        os.mkfifo(root / "pipe")
        folder = LocalFolder(root)
        assert folder.find("pipe") is None
        assert folder.file("pipe", no_folder) is None
        assert names(folder) == ["a.txt", "sub"]

    def test_what_is_being_written_is_not_listed(self, root: Path) -> None:
        """MLflow gives it its name when it is whole."""
        (root / ".artifact.uploading.xyz").write_text("ha")
        assert names(LocalFolder(root)) == ["a.txt", "sub"]

    def test_root_that_is_not_there_is_empty(self, root: Path) -> None:
        """A run that logged nothing has no folder."""
        folder = LocalFolder(root / "gone")
        assert (folder.entries("", limit=9), folder.entries("sub", limit=9)) == ([], None)

    def test_too_long_a_path_is_not_there(self, root: Path) -> None:
        """The system's own limits are no errors."""
        folder = LocalFolder(root)
        assert folder.find("/".join(["x" * 200] * 25)) is None
        assert folder.entries("x" * 300, limit=9) is None

    def test_large_folder_is_cut_by_name(self, root: Path) -> None:
        """The first ones by name are returned, whichever the system lists first."""
        for number in range(50):
            (root / "sub" / f"{number:02}").touch()
        found = LocalFolder(root).entries("sub", limit=3)
        assert found is not None
        assert [each.path for each in found] == ["sub/00", "sub/01", "sub/02"]
