"""An operation that is one chain of fields is answered as graphql-core answers it."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
import strawberry
from graphql import OperationDefinitionNode, execute, execute_root_selection_set, parse, validate

from gql_platform.graphql.execution.plans import OperationPlan
from gql_platform.graphql.execution.plans.chain import chain_of
from gql_platform.graphql.execution.plans.executor import CompiledExecution


@dataclass
class Cell:
    """What the last link of the chains returns."""

    text: str


@strawberry.type(name="Cell")
class CellType:
    """A cell."""

    text: str

    @classmethod
    def is_type_of(cls, value: object, _: object) -> bool:
        """Accept cells alone."""
        return isinstance(value, Cell)


def cell_of(how: str) -> Any:
    """Return a cell, or something else."""
    if how == "raise":
        raise ValueError("no cell")
    return {"none": None, "odd": "a text", "error": KeyError("k")}.get(how, Cell(how))


@strawberry.type
class Board:
    """An object whose fields take arguments."""

    @strawberry.field
    def cell(self, how: str = "right", count: int | None = None) -> CellType | None:
        """Return a cell."""
        found: CellType | None = cell_of(how if count is None else how * count)
        return found

    @strawberry.field
    async def sure_cell(self, how: str) -> CellType:
        """Return a cell that may not be null, later."""
        found: CellType = cell_of(how)
        return found

    @strawberry.field
    async def cells(self, hows: list[str]) -> list[CellType | None]:
        """Return several."""
        return [cell_of(how) for how in hows]

    @strawberry.field
    def board(self, is_there: bool = True) -> "Board | None":
        """Return a board in the board."""
        return Board() if is_there else None


@strawberry.type
class Query:
    """The root."""

    @strawberry.field
    async def board(self, is_there: bool = True) -> Board | None:
        """Return a board."""
        return Board() if is_there else None

    @strawberry.field
    def sure_board(self, how: str = "right") -> Board:
        """Return a board that may not be null."""
        return {"none": None, "odd": 7}.get(how, Board())  # type: ignore[return-value]


SCHEMA = strawberry.Schema(query=Query)._schema

CHAINS = [
    "query ($how: String!) { board { cell(how: $how) { text } } }",
    "query ($how: String!) { board { again: board { cell(how: $how, count: 3) { t: text } } } }",
    "query ($how: String!) { board { sureCell(how: $how) { text __typename } } }",
    "query ($how: String!) { sureBoard(how: $how) { sureCell(how: $how) { text } } }",
    "query ($how: String!) { sureBoard { board(isThere: false) { sureCell(how: $how) { text }}}}",
    "query ($how: String!) { board { cells(hows: [$how, \"left\"]) { text } } }",
    "query ($how: String) { board { cell(how: $how) { text } } }",
    "query ($how: String = \"left\") { board { cell(how: $how) { ...F }}} fragment F on Cell{text}",
    "query ($how: String!, $no: Boolean = true) { board(isThere: $no) { cell(how: $how) {text}}}",
]  # fmt: skip
NO_CHAINS = [
    "query ($how: String!) { board { cell(how: $how) { text } } sureBoard { __typename } }",
    "query ($how: String!) { ...R } fragment R on Query { board { cell(how: $how) { text } } }",
    "query ($how: String!) { board @skip(if: false) { cell(how: $how) { text } } }",
    "query ($how: String!) { __schema { queryType { name } } board { cell(how: $how) { text } } }",
]


def shown(result: Any) -> tuple[str, list[tuple[str, Any, Any]]]:
    """Return all that a client sees of a result."""
    if asyncio.iscoroutine(result):
        result = asyncio.run(result)
    errors = [(each.message, each.path, each.locations) for each in result.errors or ()]
    return repr(result.data), errors


def operation_of(text: str) -> OperationDefinitionNode:
    """Return the first operation of a document."""
    operation = parse(text).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return operation


@pytest.mark.parametrize("how", ["right", "none", "odd", "error", "raise"])
@pytest.mark.parametrize("text", [*CHAINS, *NO_CHAINS])
def test_answer_is_that_of_graphql_core(text: str, how: str) -> None:
    """Values, nulls, errors and their places are the same, also for the plan's later requests."""
    document = parse(text)
    assert validate(SCHEMA, document) == []
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    plan = OperationPlan(SCHEMA, document, operation)
    for variables in ({"how": how}, {"how": "right"}, {"how": how}):
        expected = shown(execute(SCHEMA, document, variable_values=variables))
        execution = plan.execution(None, variables)
        assert isinstance(execution, CompiledExecution)
        assert shown(execute_root_selection_set(execution)) == expected


@pytest.mark.parametrize("text", CHAINS)
def test_chain_is_followed_to_its_end(text: str) -> None:
    """The last link is a field that takes arguments; what is below it is a plain selection."""
    link = chain_of(SCHEMA, operation_of(text))
    assert link is not None
    names = [link.definition]
    while link.following is not None:
        link = link.following
        names.append(link.definition)
    assert len(names) >= 2
    assert link.key in {"cell", "sureCell", "cells"}


@pytest.mark.parametrize("text", NO_CHAINS)
def test_what_is_no_chain(text: str) -> None:
    """Several fields, fragments of the root, conditions and introspection are graphql-core's."""
    assert chain_of(SCHEMA, operation_of(text)) is None
