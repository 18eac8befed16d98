"""Which plans are kept, and for whom."""

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import strawberry
from graphql import DocumentNode, parse
from strawberry.types.execution import ExecutionResult

from gql_platform.graphql.execution.plans import CompiledExecution, PlanStore, plans_of
from gql_platform.graphql.execution.plans import plan as plan_module
from gql_platform.graphql.execution.plans.store import keep_plans
from tests.graphql.execution.plans.comparison import branch, leaves, root, same
from tests.graphql.execution.plans.example import Parsed, ParsedOnce, build, build_eager


def patient(**options: Any) -> tuple[strawberry.Schema, PlanStore]:
    """Return a schema that parses each document once, and its plans."""
    documents: Parsed = {}
    schema = build(CompiledExecution, extensions=[lambda: ParsedOnce(documents)])
    store = PlanStore(schema._schema, **options)
    keep_plans(schema, store)
    return schema, store


def texts(schema: strawberry.Schema, count: int, document: str = "{ leaves { text } }") -> Any:
    """Execute a document on a list of leaves, and return its data."""
    result = schema.execute_sync(document, root_value=root(leaves=[leaves()] * count))
    assert isinstance(result, ExecutionResult)
    assert result.errors is None
    return result.data


class TestPatience:
    def test_second_time(self) -> None:
        """A selection is compiled when it is executed for the second time, and kept."""
        schema, store = patient()
        for used in (0, 1, 2):
            assert texts(schema, 2) == {"leaves": [{"text": "a"}] * 2}
            assert (store.used, store.compiled, len(store)) == (used, min(used, 1), min(used, 1))

    def test_long_list(self) -> None:
        """A long list is compiled at once, but nothing is kept of a document that comes once."""
        schema, store = patient(at_once=50)
        texts(schema, 50)
        assert (store.used, store.compiled, len(store)) == (1, 1, 0)
        texts(schema, 50)
        assert (store.used, store.compiled, len(store)) == (2, 2, 1)
        texts(schema, 3)
        assert (store.used, store.compiled, len(store)) == (3, 2, 1)

    def test_long_list_behind_a_short_one(self) -> None:
        """In one execution, too, a long list does not wait because a short one did."""
        schema, store = patient(at_once=50)
        data = root(branch=branch(grid=[[leaves()], [leaves()] * 60]))
        schema.execute_sync("{ branch { grid { text } scaled } }", root_value=data)
        assert store.used == 1


class TestKeeping:
    def test_least_used_goes(self) -> None:
        """The plan that was not used for longest is forgotten."""
        schema, store = patient(patience=0, capacity=2)
        first, second, third = (f"{{ leaves {{ {name} }} }}" for name in ("text", "number", "key"))
        for document in (first, second, first, third):
            texts(schema, 1, document)
        assert (len(store), store.compiled) == (2, 3)
        texts(schema, 1, first)
        assert store.compiled == 3
        texts(schema, 1, second)
        assert store.compiled == 4

    def test_counts_of_executions_are_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What was seen once is forgotten, too."""
        monkeypatch.setattr("gql_platform.graphql.execution.plans.store.MAX_SEEN", 3)
        schema, store = patient()
        for index in range(9):
            texts(schema, 1, f"{{ leaves {{ a{index}: text }} }}")
        assert len(store._seen) == 3

    def test_each_schema_has_its_own(self) -> None:
        """Schemas share no plans, and take theirs along when they go."""
        first, second = patient()[0], patient()[0]
        assert plans_of(first) is not plans_of(second)
        assert plans_of(first) is plans_of(first._schema)
        gone = weakref.ref(plans_of(first))
        del first
        gc.collect()
        assert gone() is None

    def test_threads(self) -> None:
        """Synchronous executions in several threads use the same plan."""
        schema, store = patient(patience=0)
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda _: texts(schema, 5), range(40)))
        assert found == [{"leaves": [{"text": "a"}] * 5}] * 40
        assert store.used == 40
        assert len(store) == 1


class TestConditions:
    DOCUMENT = """
        query ($a: Boolean!, $b: Boolean!) {
          leaves { text @skip(if: $a) ...F @include(if: $b) }
        }
        fragment F on LeavesType { number words @include(if: $a) }
    """

    def test_each_outcome_has_its_function(self) -> None:
        """The variables of directives decide which function it is; others do not count."""
        schema, store = patient(patience=0)
        found = []
        for _ in range(2):
            for a in (True, False):
                for b in (True, False):
                    result = schema.execute_sync(
                        self.DOCUMENT, {"a": a, "b": b}, root_value=root(leaves=[leaves()])
                    )
                    assert isinstance(result, ExecutionResult)
                    assert result.data is not None
                    found.append(list(result.data["leaves"][0]))
        assert found == [["number", "words"], [], ["text", "number"], ["text"]] * 2
        assert (len(store), store.compiled) == (1, 4)

    def test_outcomes_are_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Many outcomes of one selection do not add up."""
        monkeypatch.setattr("gql_platform.graphql.execution.plans.store.MAX_VARIANTS", 2)
        schema, store = patient(patience=0)
        for a, b in ((True, True), (True, False), (False, True)):
            schema.execute_sync(self.DOCUMENT, {"a": a, "b": b}, root_value=root(leaves=[leaves()]))
        (entry,) = store._entries.values()
        assert len(entry.functions) == 1

    def test_condition_that_is_null(self) -> None:
        """Null is an error of each object below which it decides, as graphql-core has it."""
        found, _ = same(
            "query ($c: Boolean = true) { branch { manyOrNulls { text @skip(if: $c) } label } }",
            root(branch=branch()), c=None,
        )  # fmt: skip
        assert found.data == "{'branch': {'manyOrNulls': [None, None], 'label': 'b'}}"

    def test_fragments_of_another_document(self) -> None:
        """Documents made by code may share nodes; what their fragments say is told apart."""
        schema, _ = build_eager()
        shared = parse("{ leaves { ...F } }").definitions
        found = []
        for name in ("text", "number", "text"):
            fragment = parse(f"fragment F on LeavesType {{ {name} }}").definitions
            document = DocumentNode(definitions=shared + fragment)
            documents: Parsed = {"{ x }": (document, [])}
            schema.extensions = (lambda found=documents: ParsedOnce(found),)  # type: ignore[misc]
            found.append(texts(schema, 1, "{ x }"))
        assert found == [
            {"leaves": [{"text": "a"}]}, {"leaves": [{"number": 1}]}, {"leaves": [{"text": "a"}]},
        ]  # fmt: skip


class TestSize:
    def test_deep_selection(self) -> None:
        """A selection that is too deep for one plan is executed by several."""
        depth = 3 * plan_module.MAX_DEPTH
        data: Any = None
        for _ in range(depth):
            data = branch(branch=data)
        document = "{ branch " + "{ label branch " * (depth - 1) + "{ label }" + " }" * depth
        found, handed_over = same(document, root(branch=data))
        assert found.errors == []
        assert 0 < handed_over < depth

    def test_wide_selection(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A selection with too many fields for one plan is executed by several."""
        monkeypatch.setattr(plan_module, "MAX_MEMBERS", 3)
        document = "{ branch { label leaves { text number } many { text number } } }"
        found, handed_over = same(document, root(branch=branch()))
        assert found.errors == []
        assert handed_over > 0

    def test_fragments_that_double(self) -> None:
        """A chain of fragments that grows without bounds when it is expanded is compiled once."""
        links = [
            f"fragment F{index} on BranchType {{ a: branch {{ ...F{index + 1} }} "
            f"b: branch {{ ...F{index + 1} }} }}"
            for index in range(11)
        ]
        end = "fragment F11 on BranchType { label }"
        document = "\n".join(["{ branch { ...F0 } }", *links, end])
        schema, store = build_eager()
        result = schema.execute_sync(document, root_value=root(branch=branch()))
        assert isinstance(result, ExecutionResult)
        assert result.data == {"branch": {"a": None, "b": None}}
        (entry,) = store._entries.values()
        (function,) = entry.functions.values()
        assert function is not None

    def test_introspection(self) -> None:
        """Types whose fields all have resolvers are left to graphql-core."""
        schema, store = build_eager()
        result = schema.execute_sync("{ __schema { queryType { name } } }")
        assert isinstance(result, ExecutionResult)
        assert result.data == {"__schema": {"queryType": {"name": "Query"}}}
        assert store.used == 0
