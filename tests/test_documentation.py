"""What is public is documented, and what is written by the code is up to date."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from gql_platform.reference import reference_pages
from gql_platform.settings import Settings, environment_name

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "gql_platform").rglob("*.py"))

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def undocumented(tree: ast.Module) -> list[str]:
    """Return the names of all public things in a module that have no docstring."""
    return [name for name, node in public_things("module", tree) if not ast.get_docstring(node)]


def public_things(name: str, node: Documented) -> Iterator[tuple[str, Documented]]:
    """Return the thing and, for modules and classes, the public things in it.

    What begins with an underscore is private, except for `__call__` and its like, which callers
    meet under another name; of these only the constructor goes without, for the class tells.
    """
    yield name, node
    if isinstance(node, ast.Module | ast.ClassDef):
        for child in node.body:
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                is_special = child.name.startswith("__") and child.name.endswith("__")
                is_public = not child.name.startswith("_") or is_special
                if is_public and child.name != "__init__" and not is_overload(child):
                    yield from public_things(child.name, child)


def is_overload(node: ast.AST) -> bool:
    """Return whether a function only adds a type to another one."""
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(
        ast.unparse(decorator).endswith(("overload", ".setter"))
        for decorator in node.decorator_list
    )


class TestDocstrings:
    @pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
    def test_everything_public_has_one(self, path: Path) -> None:
        """Each public module, class, function and method says what it is for."""
        assert undocumented(ast.parse(path.read_text(encoding="utf-8"))) == []

    def test_gaps_are_found(self) -> None:
        """The check itself finds what lacks a docstring, and leaves the rest alone."""
        source = (
            "class A:\n"
            "    def __init__(self): ...\n"
            "    def __call__(self): ...\n"
            "    async def run(self): ...\n"
            "    def _hidden(self): ...\n"
            "    def told(self):\n"
            "        'Tell.'\n"
            "        def inner(): ...\n"
            "class _Hidden:\n"
            "    def seen(self): ...\n"
            "def f(): ...\n"
        )
        assert undocumented(ast.parse(source)) == ["module", "A", "__call__", "run", "f"]


class TestReference:
    @pytest.mark.parametrize("name", reference_pages())
    def test_each_page_is_up_to_date(self, name: str) -> None:
        """The pages that the code writes are what it says today."""
        path = ROOT / "docs" / "reference" / name
        assert path.read_text(encoding="utf-8") == reference_pages()[name], (
            f"{path.relative_to(ROOT)} is out of date; write it again with: make schema"
        )


class TestSettings:
    @pytest.mark.parametrize("field", Settings.model_fields)
    def test_each_says_what_it_is_for(self, field: str) -> None:
        """A setting's description is made of whole sentences."""
        description = Settings.model_fields[field].description
        assert description, f"{environment_name(field)} has no description"
        assert description.endswith(".")
