"""The rules of the house, checked in the syntax tree of every module.

Who may import whom, where imports stand, what modules are called, and how large they get.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = "gql_platform"
ROOT = Path(__file__).parents[1]
SOURCES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / PACKAGE).rglob("*.py"))
}

LEAVES = {"contract", "doc", "errors", "news", "paging", "repetition", "store", "texts"}
"""Modules that everybody may import."""

DOMAIN = {"records", "ports", "topic", "service"}
"""The layers of a feature; a topic is any other module of its package."""

MAY_IMPORT: dict[str, set[str]] = {
    # The leaves know each other at most.
    "contract": set(),
    "doc": set(),
    "errors": {"errors"},
    "news": set(),
    "paging": {"errors"},
    "repetition": {"errors"},
    "store": {"errors"},
    "texts": set(),
    # A feature: records <- ports <- topics <- service.
    "records": {*LEAVES, "records"},
    "ports": {*LEAVES, "records"},
    "topic": {*LEAVES, "records", "own ports", "own topic"},
    "service": {*LEAVES, "records", "own ports", "own topic", "service"},
    # The edges know services and records; the outside systems know records and ports.
    "adapters": {*LEAVES, "records", "ports", "adapters"},
    "edge": {*LEAVES, "records", "service", "services", "observability", "edge"},
    "graphql": {*LEAVES, "records", "service", "services", "observability", "edge", "graphql"},
    "rest": {*LEAVES, "records", "service", "services", "observability", "edge", "rest"},
    "playground": {"errors", "playground"},
    "dashboard": {"contract", "errors", "dashboard"},
    # The rest puts them together.
    "settings": {"errors", "spelling"},
    "spelling": set(),
    "reference": {"edge", "errors", "settings"},
    "observability": {*LEAVES, "records", "settings"},
    "services": {"service", "store", "observability"},
    "startup": {"errors", "services", "settings"},
    "export": {
        *LEAVES, "edge", "graphql", "rest", "reference", "records", "services", "settings"
    },
    "engines": {*LEAVES, "adapters", "ports", "records", "settings"},
    "bootstrap": {
        *LEAVES, "adapters", "engines", "observability", "ports", "records", "service", "services",
        "settings", "topic",
    },
    "app": {
        *LEAVES, "bootstrap", "edge", "export", "graphql", "observability", "playground", "rest",
        "services", "settings", "startup",
    },
    "server": {"app", "bootstrap", "errors", "observability", "services", "settings"},
    "model_server": {
        *LEAVES, "bootstrap", "observability", "records", "server", "settings"
    },
    "tracker": {*LEAVES, "bootstrap", "ports", "records", "settings", "topic", "tracker"},
    "mlflow_ui": {"engines", "errors", "settings"},
    "supervisor": {"errors", "observability", "server", "settings"},
    "worker": {"engines", "errors", "observability", "settings"},
    "cli": {
        *LEAVES, "app", "bootstrap", "engines", "export", "graphql", "mlflow_ui", "observability",
        "records", "reference", "server", "services", "settings", "supervisor", "worker",
    },
    "__main__": {"cli"},
    "testing": {
        *LEAVES, *DOMAIN, "adapters", "app", "edge", "graphql", "observability", "services",
        "settings", "testing",
    },
    # The package itself has a version and, behind functions, lazy names.
    "package": {"model_server", "tracker"},
}  # fmt: skip
"""The layers that each layer may import; the version in the package itself is for all."""

MAY_USE: dict[str, set[str]] = {
    "contract": set(),
    "doc": set(),
    "errors": set(),
    "news": set(),
    "paging": set(),
    "repetition": {"structlog"},
    "store": set(),
    "texts": set(),
    "records": set(),
    "ports": {"numpy", "pandas"},
    "topic": {"numpy", "pandas", "scipy", "sklearn", "structlog"},
    "service": {"numpy", "pandas", "structlog"},
}
"""The packages of others that the inner layers may import; the outer ones are free."""

MAY_ALSO_USE = {
    "gql_platform.demo.records": {"pandas"},
    "gql_platform.schedules.cron": {"croniter"},
}
"""A trained model is published with the rows that describe it, which are a table; and nobody reads
cron better than its library."""

MAY_ALSO_IMPORT = {
    "gql_platform.adapters.demo_process": {"settings"},
    "gql_platform.adapters.worker_process": {"settings"},
}
"""It starts the platform's own command line, with the settings of the process that it is in."""

LAZY_IMPORTERS = {"bootstrap", "engines", "package"}
"""Where heavy packages are imported on first use, inside a function."""

FORBIDDEN_NAMES = {"base", "common", "core", "helpers", "manager", "misc", "utils"}
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60


@dataclass(frozen=True)
class Place:
    """Where a module stands.

    Attributes:
        layer: Its layer, a key of `MAY_IMPORT`; or None when nobody gave it a rule.
        feature: The feature that it belongs to, if it belongs to one.
    """

    layer: str | None
    feature: str | None = None


def place_of(module: str) -> Place:
    """Return where a module of ours stands, by its name."""
    _, _, rest = module.partition(".")
    head, _, tail = rest.partition(".")
    if not rest:
        return Place("package")
    if head in MAY_IMPORT and head not in DOMAIN:
        return Place(head)
    if not tail:
        # A package of a feature holds nothing itself, and what is no package has no rule.
        is_package = module in SOURCES and SOURCES[module].name == "__init__.py"
        return Place("records" if is_package else None, head)
    return Place(tail if tail in DOMAIN else "topic", head)


def imported_modules(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Return line and name of each module that a module imports, ours by their full names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            yield node.lineno, "." * node.level
        elif isinstance(node, ast.ImportFrom):
            name = node.module or ""
            # `from gql_platform.serving import records` names a module by its last word.
            is_folder = name.partition(".")[0] == PACKAGE and name.count(".") < 2
            if is_folder and place_of(name).layer in ("package", "records"):
                yield from ((node.lineno, f"{name}.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, name


def import_breaches(module: str, source: str) -> list[str]:
    """Return one line for each import that the rules do not allow."""
    place = place_of(module)
    if place.layer is None:
        return [f"{module}: a module without a rule; give it one, or move it into a feature"]
    found = []
    for line, name in imported_modules(ast.parse(source)):
        head = name.partition(".")[0]
        if name.startswith("."):
            found.append(f"{module}:{line}: relative imports hide where a module stands")
        elif head == PACKAGE and not _may_import(module, place, name):
            target = place_of(name).layer
            found.append(f"{module}:{line}: {place.layer} may not import {target} ({name})")
        elif head != PACKAGE and not _may_use(module, place, head):
            found.append(f"{module}:{line}: {place.layer} may not use {head}")
    return found


def _may_import(module: str, importer: Place, name: str) -> bool:
    if name == f"{PACKAGE}.__version__":
        return True
    target = place_of(name)
    allowed = MAY_IMPORT[importer.layer or ""] | MAY_ALSO_IMPORT.get(module, set())
    if target.layer in allowed:
        return True
    return f"own {target.layer}" in allowed and target.feature == importer.feature


def _may_use(module: str, place: Place, package: str) -> bool:
    if place.layer not in MAY_USE or package in sys.stdlib_module_names:
        return True
    return package in MAY_USE[place.layer] | MAY_ALSO_USE.get(module, set())


def lazy_imports(module: str, source: str) -> list[str]:
    """Return one line for each import inside a function, where none belongs."""
    if place_of(module).layer in LAZY_IMPORTERS:
        return []
    return [
        f"{module}:{node.lineno}: an import inside {function.name}"
        for function in ast.walk(ast.parse(source))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
        or (isinstance(node, ast.Call) and _is_dynamic_import(node))
    ]


def _is_dynamic_import(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return name in ("import_module", "__import__")


def size_breaches(module: str, source: str) -> list[str]:
    """Return one line for each file or function that is too large."""
    lines = source.count("\n")
    found = [f"{module}: {lines} lines"] if lines > MAX_FILE_LINES else []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION_LINES:
                found.append(f"{module}:{node.lineno}: {node.name} has {length} lines")
    return found


def name_breaches(module: str) -> list[str]:
    """Return the words of a module's name that say nothing."""
    return sorted(FORBIDDEN_NAMES.intersection(module.split(".")))


class TestHouse:
    def test_modules_are_found(self) -> None:
        """The rules below look at the package, and not at an empty folder."""
        assert {"gql_platform", "gql_platform.errors", "gql_platform.serving.service"} <= set(
            SOURCES
        )

    @pytest.mark.parametrize("module", SOURCES)
    def test_imports_follow_the_layers(self, module: str) -> None:
        """Each module imports only what its layer may."""
        assert import_breaches(module, SOURCES[module].read_text(encoding="utf-8")) == []

    @pytest.mark.parametrize("module", SOURCES)
    def test_imports_stand_at_the_top(self, module: str) -> None:
        """No function imports, but for those that load heavy packages on first use."""
        assert lazy_imports(module, SOURCES[module].read_text(encoding="utf-8")) == []

    @pytest.mark.parametrize("module", SOURCES)
    def test_names_say_something(self, module: str) -> None:
        """No module has a name that would fit any other."""
        assert name_breaches(module) == []

    @pytest.mark.parametrize("module", SOURCES)
    def test_sizes_are_kept(self, module: str) -> None:
        """No file and no function is too large to be read at once."""
        assert size_breaches(module, SOURCES[module].read_text(encoding="utf-8")) == []

    def test_exceptions_are_needed(self) -> None:
        """An exception whose reason is gone goes too."""
        for module, words in (MAY_ALSO_USE | MAY_ALSO_IMPORT).items():
            tree = ast.parse(SOURCES[module].read_text(encoding="utf-8"))
            names = [name.removeprefix(f"{PACKAGE}.") for _, name in imported_modules(tree)]
            assert words <= {name.partition(".")[0] for name in names}


class TestChecker:
    """The checker itself, on snippets that break a rule each, and on some that break none."""

    @pytest.mark.parametrize(
        ("module", "source", "breach"),
        [
            ("serving.records", "import numpy", "use numpy"),
            ("serving.records", "from gql_platform.serving.ports import X", "import ports"),
            ("serving.ports", "import gql_platform.serving.service", "import service"),
            ("serving.ports", "from gql_platform.registry import service", "import service"),
            ("serving.rows", "from gql_platform.serving.service import X", "import service"),
            ("serving.rows", "from gql_platform.registry.ports import X", "import ports"),
            ("serving.rows", "import mlflow.pyfunc", "use mlflow"),
            ("serving.service", "from gql_platform.registry.ports import X", "import ports"),
            ("serving.service", "from gql_platform.demo.iris import X", "import topic"),
            ("serving.service", "from gql_platform.adapters import mlflow", "import adapters"),
            ("serving.service", "from gql_platform import settings", "import settings"),
            ("serving.service", "import fastapi", "use fastapi"),
            ("serving.service", "def f():\n import mlflow", "use mlflow"),
            ("serving", "from gql_platform.serving.service import X", "import service"),
            ("adapters.mlflow", "from gql_platform.registry.service import X", "import service"),
            ("adapters.mlflow", "from gql_platform.settings import X", "import settings"),
            ("graphql.models", "from gql_platform.adapters.mlflow import X", "import adapters"),
            ("graphql.execution.plan", "from gql_platform.rest import predict", "import rest"),
            ("graphql.models", "from gql_platform.registry.ports import X", "import ports"),
            ("rest.predict", "from gql_platform.graphql.context import X", "import graphql"),
            ("rest.predict", "import gql_platform.bootstrap", "import bootstrap"),
            ("playground", "from gql_platform.services import X", "import services"),
            ("errors", "from gql_platform.doc import X", "import doc"),
            ("settings", "from gql_platform.observability import X", "import observability"),
            ("services", "from gql_platform.registry.records import X", "import records"),
            ("bootstrap", "from gql_platform.graphql.schema import X", "import graphql"),
            ("app", "from gql_platform.testing import X", "import testing"),
            ("cli", "from gql_platform.adapters.mlflow import X", "import adapters"),
            ("dashboard.pages", "from gql_platform.services import X", "import services"),
        ],
    )  # fmt: skip
    def test_breach_is_found(self, module: str, source: str, breach: str) -> None:
        """Each forbidden import is found, however it is written."""
        (found,) = import_breaches(f"{PACKAGE}.{module}", source)
        place, _, complaint = found.partition(": ")
        assert place in (f"{PACKAGE}.{module}:1", f"{PACKAGE}.{module}:2")
        assert complaint.partition(" may not ")[2].startswith(breach)

    @pytest.mark.parametrize(
        ("module", "source"),
        [
            ("serving.records", "from gql_platform.registry.records import X\nimport enum"),
            ("serving.records", "from gql_platform.doc import Doc"),
            ("serving.service", "from gql_platform import __version__"),
            ("serving.service", "from gql_platform import errors, paging"),
            ("serving.service", "from gql_platform.serving import ports, records, rows"),
            ("serving.service", "from gql_platform.registry.service import Registry"),
            ("adapters.mlflow.store", "import mlflow\nfrom gql_platform.registry.ports import X"),
            ("graphql.models", "import strawberry\nfrom gql_platform.services import X"),
            ("bootstrap", "from gql_platform.adapters.mlflow.store import X"),
        ],
    )
    def test_allowed_import_passes(self, module: str, source: str) -> None:
        """What the layers allow is not complained about."""
        assert import_breaches(f"{PACKAGE}.{module}", source) == []

    @pytest.mark.parametrize("source", ["from .ports import X", "from . import ports"])
    def test_relative_import_is_found(self, source: str) -> None:
        """A relative import is told as such."""
        assert import_breaches(f"{PACKAGE}.serving.service", source) == [
            "gql_platform.serving.service:1: relative imports hide where a module stands"
        ]

    def test_module_without_a_rule_is_found(self) -> None:
        """A new module beside the others is told to find its place."""
        (found,) = import_breaches(f"{PACKAGE}.gateway", "")
        assert found.startswith("gql_platform.gateway: a module without a rule")

    def test_import_in_a_function_is_found(self) -> None:
        """A late import is found in methods and async functions, dynamic or not."""
        source = "class A:\n async def f(self):\n  from x import y\ndef g():\n import_module('x')"
        assert sorted(lazy_imports(f"{PACKAGE}.serving.service", source)) == [
            "gql_platform.serving.service:3: an import inside f",
            "gql_platform.serving.service:5: an import inside g",
        ]
        assert lazy_imports(f"{PACKAGE}.bootstrap", source) == []
        assert lazy_imports(PACKAGE, source) == []

    def test_large_file_and_function_are_found(self) -> None:
        """One line too many is one too many."""
        function = "def f():\n" + "    pass\n" * (MAX_FUNCTION_LINES - 1)
        assert size_breaches("m", function) == []
        assert size_breaches("m", function + "    pass\n") == ["m:1: f has 61 lines"]
        assert size_breaches("m", "\n" * MAX_FILE_LINES) == []
        assert size_breaches("m", "\n" * (MAX_FILE_LINES + 1)) == ["m: 401 lines"]

    def test_empty_name_is_found(self) -> None:
        """The name is refused for modules and packages alike."""
        assert name_breaches("gql_platform.utils.rows") == ["utils"]
        assert name_breaches("gql_platform.serving.helpers") == ["helpers"]
        assert name_breaches("gql_platform.serving.rows") == []
