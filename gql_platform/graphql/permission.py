"""Permissions, declared on every root field and enforced before its resolver runs."""

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import strawberry
from strawberry.schema_directive import Location

from gql_platform.access.records import Permission
from gql_platform.graphql.context import Info
from gql_platform.graphql.type_of import enum_of, first_paragraph

P = ParamSpec("P")
T = TypeVar("T")

enum_of(Permission)


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="requiresPermission",
    repeatable=True,
    description="The permission that a caller needs for this field.",
)
class RequiresPermission:
    """The declaration, as the schema shows it."""

    permission: Permission = strawberry.directive_field(name="permission")


def root_field(
    permission: Permission,
    *,
    also: Sequence[Permission] = (),
    graphql_type: Any = None,
    directives: Sequence[object] = (),
) -> Callable[[Any], Any]:
    """Make a method a field of `Query` that callers with a permission may use.

    The method takes ``info: Info``, is async unless it has nothing to wait for, and its docstring's
    first paragraph describes the field.

    Args:
        permission: What the caller must be allowed to do.
        also: What else the caller must be allowed to do.
        graphql_type: The field's type in the schema, where the method returns records.
        directives: Further declarations, such as its cost.
    """
    permissions = (permission, *also)
    declared = [RequiresPermission(permission=each) for each in permissions]

    def decorate(resolver: Callable[P, Any]) -> Any:
        @functools.wraps(resolver)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> Any:
            for each in permissions:
                require(each, kwargs)
            return resolver(*args, **kwargs)

        @functools.wraps(resolver)
        async def guarded_async(*args: P.args, **kwargs: P.kwargs) -> Any:
            for each in permissions:
                require(each, kwargs)
            return await resolver(*args, **kwargs)

        return strawberry.field(
            resolver=guarded_async if inspect.iscoroutinefunction(resolver) else guarded,
            description=first_paragraph(resolver),
            directives=[*declared, *directives],
            graphql_type=graphql_type,
        )

    return decorate


def root_subscription(permission: Permission, *, graphql_type: Any = None) -> Callable[[Any], Any]:
    """Make an async generator a field of `Subscription`; otherwise as `root_field`."""

    def decorate(resolver: Callable[P, AsyncIterator[T]]) -> Any:
        @functools.wraps(resolver)
        async def guarded(*args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
            require(permission, kwargs)
            async for event in resolver(*args, **kwargs):
                yield event

        return strawberry.subscription(
            resolver=guarded,
            description=first_paragraph(resolver),
            directives=[RequiresPermission(permission=permission)],
            graphql_type=graphql_type,
        )

    return decorate


def require(permission: Permission, arguments: Any) -> None:
    """Let the caller of a resolver with these arguments pass, or not."""
    info: Info = arguments["info"]
    info.context.viewer.require(permission)


def check_permissions(*root_types: type) -> None:
    """Refuse root types with a field that declares no permission.

    Raises:
        TypeError: If there is one; it names the field.
    """
    for root_type in root_types:
        for field in root_type.__strawberry_definition__.fields:  # type: ignore[attr-defined]
            if not any(isinstance(found, RequiresPermission) for found in field.directives):
                raise TypeError(f"{root_type.__name__}.{field.name} declares no permission")
