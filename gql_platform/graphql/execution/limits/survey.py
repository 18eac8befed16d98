"""The flat pass over a document: what can be counted without writing fragments out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from gql_platform.graphql.execution.limits.bounds import Limit
from gql_platform.graphql.execution.limits.refusals import FragmentCycleError

_INTROSPECTION = frozenset(("__schema", "__type"))


@dataclass(slots=True)
class Survey:
    """What lies in a document.

    Attributes:
        operations: Its operations.
        fragments: Its fragments by name, those first that others spread.
        counted: Flat measures, in the order of `Limit`.
        introspection: A field that asks for the schema, if there is one.
    """

    operations: list[OperationDefinitionNode]
    fragments: dict[str, FragmentDefinitionNode]
    counted: dict[Limit, int]
    introspection: str | None


def count_definitions(document: DocumentNode) -> dict[Limit, int]:
    """Count definitions; all other work is bounded by these numbers and the tokens'."""
    operations, fragments = _operations(document), _fragments(document)
    return {
        Limit.OPERATIONS: len(operations),
        Limit.FRAGMENTS: len(fragments),
        Limit.VARIABLES: max(
            (len(each.variable_definitions or ()) for each in operations), default=0
        ),
    }


def survey(document: DocumentNode) -> Survey:
    """Look at each place of a document once.

    Raises:
        FragmentCycleError: If a fragment spreads itself.
    """
    operations, fragments = _operations(document), _fragments(document)
    scan = _Scan()
    spreads = {each.name.value: scan.fragment(each) for each in fragments}
    for operation in operations:
        scan.operation(operation)
    by_name = {each.name.value: each for each in fragments}
    return Survey(
        operations,
        {name: by_name[name] for name in _inner_first(spreads)},
        {Limit.DIRECTIVES_PER_LOCATION: scan.most_directives},
        scan.introspection,
    )


def _operations(document: DocumentNode) -> list[OperationDefinitionNode]:
    return [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]


def _fragments(document: DocumentNode) -> list[FragmentDefinitionNode]:
    return [each for each in document.definitions if isinstance(each, FragmentDefinitionNode)]


@dataclass(slots=True)
class _Scan:
    """What was seen so far."""

    most_directives: int = 0
    introspection: str | None = None
    _stack: list[SelectionSetNode] = field(default_factory=list)

    def operation(self, node: OperationDefinitionNode) -> None:
        self._note(node.directives)
        for variable in node.variable_definitions or ():
            self._note(variable.directives)
        self._spreads(node.selection_set)

    def fragment(self, node: FragmentDefinitionNode) -> Sequence[str]:
        """Return the names of the fragments that it spreads, each once."""
        self._note(node.directives)
        return self._spreads(node.selection_set)

    def _note(self, directives: Sequence[object] | None) -> None:
        if directives and len(directives) > self.most_directives:
            self.most_directives = len(directives)

    def _spreads(self, selection_set: SelectionSetNode) -> Sequence[str]:
        spread: dict[str, None] = {}
        self._stack.append(selection_set)
        while self._stack:
            for selection in self._stack.pop().selections:
                self._note(selection.directives)
                if isinstance(selection, FragmentSpreadNode):
                    spread[selection.name.value] = None
                elif isinstance(selection, FieldNode | InlineFragmentNode):
                    self._descend(selection)
        return tuple(spread)

    def _descend(self, selection: FieldNode | InlineFragmentNode) -> None:
        if isinstance(selection, FieldNode) and selection.name.value in _INTROSPECTION:
            self.introspection = selection.name.value
        if selection.selection_set is not None:
            self._stack.append(selection.selection_set)


def _inner_first(spreads: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Order fragments so that each comes behind all that it spreads.

    There is no recursion in this: a chain of fragments may be longer than Python's stack.

    Raises:
        FragmentCycleError: If there is no such order.
    """
    done: set[str] = set()
    for root in spreads:
        path = {root: iter(spreads[root])} if root not in done else {}
        while path:
            name, inner = next(reversed(path.items()))
            following = next((each for each in inner if each in spreads and each not in done), None)
            if following is None:
                del path[name]
                done.add(name)
                yield name
            elif following in path:
                raise FragmentCycleError(following)
            else:
                path[following] = iter(spreads[following])
