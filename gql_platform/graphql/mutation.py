"""Mutations: their permission, and their results, which are a success or a named error."""

import functools
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, make_dataclass
from typing import Annotated, Any, ParamSpec, Union, cast, get_args, get_origin, get_type_hints

import strawberry

from gql_platform.access.records import Permission
from gql_platform.doc import DescribedEnum
from gql_platform.errors import PlatformError
from gql_platform.graphql.execution.plans import InstanceOf
from gql_platform.graphql.permission import RequiresPermission, require
from gql_platform.graphql.type_of import enum_of, first_paragraph

P = ParamSpec("P")

Path = tuple[str, ...]
"""Where in the arguments an error is, from the outside in; empty where it is nowhere."""


def _classes(root: type[PlatformError]) -> Iterator[type[PlatformError]]:
    yield root
    for cls in root.__subclasses__():
        yield from _classes(cls)


def _described(error: type[PlatformError]) -> str:
    """Return the message of an error, with the names of its facts in the place of the facts."""
    return re.sub(r"\{(\w+)[^}]*\}", r"*\1*", first_paragraph(error))


_CODES = {
    cls.code: (cls.code, _described(cls))
    for cls in sorted(_classes(PlatformError), key=lambda cls: cls.code)
}
_NEWER = {"UNKNOWN": ("UNKNOWN", "An error that is newer than this list.")}

# An enum's functional form makes its members of the codes.
ErrorCode: Any = cast(Any, DescribedEnum)("ErrorCode", _CODES | _NEWER)
ErrorCode.__doc__ = "The stable code of an error."
enum_of(ErrorCode)


@strawberry.interface(description="An error that the caller can do something about.")
class UserError:
    """An error that the caller can do something about."""

    message: str = strawberry.field(
        description="What was wrong, what was expected, and what to do."
    )
    code: ErrorCode = strawberry.field(  # pyright: ignore[reportInvalidTypeForm] # made of values
        description="The stable code."
    )
    path: list[str] | None = strawberry.field(
        description="Where in the arguments it is, from the outside in; null where it is nowhere."
    )


@dataclass(frozen=True, slots=True)
class _NamedError:
    """How an error is answered.

    Attributes:
        record: The class of what resolvers return for it: a value that is an exception would be
            raised.
        graphql_type: Its type in the schema.
    """

    record: type
    graphql_type: type

    def answer(self, error: PlatformError, path: Path) -> object:
        """Return the record of an error."""
        facts = error.data
        return self.record(error.for_callers, ErrorCode[error.code], list(path) or None, **facts)


_named_errors: dict[type[PlatformError], _NamedError] = {}


def _named(error: type[PlatformError]) -> _NamedError:
    """Return how an error is answered; several mutations share its type."""
    if error not in _named_errors:
        _named_errors[error] = _made(error)
    return _named_errors[error]


def _made(error: type[PlatformError]) -> _NamedError:
    hints = get_type_hints(error)
    own = [field.name for field in fields(error)]
    facts = {name: _graphql_type(hints[name]) for name in own}
    record = make_dataclass(
        f"{error.__name__}Record", ["message", "code", "path", *facts], frozen=True, slots=True
    )
    namespace = {
        "__annotations__": facts,
        "__doc__": _described(error),
        "is_type_of": InstanceOf(record),
        **{name: strawberry.field(description=f"The *{name}* of the message.") for name in facts},
    }
    made = strawberry.type(
        type(error.__name__, (UserError,), namespace), description=_described(error)
    )
    return _NamedError(record, made)


def _graphql_type(annotation: Any) -> Any:
    is_list = get_origin(annotation) is not None and issubclass(get_origin(annotation), Sequence)
    return list[get_args(annotation)[0]] if is_list else annotation  # type: ignore[misc]


def root_mutation(
    permission: Permission,
    *,
    success: type,
    errors: Mapping[type[PlatformError], Path],
    directives: Sequence[object] = (),
) -> Callable[[Any], Any]:
    """Make an async method a field of `Mutation` that callers with a permission may use.

    Its type is a union of the success and of the errors, named after the method:
    ``deployment_update`` gives ``DeploymentUpdateResult``. The method's docstring describes it.

    Args:
        permission: What the caller must be allowed to do.
        success: The GraphQL type of what the method returns.
        errors: The errors that are answered as data, and where in the arguments each is; of their
            subclasses, the nearest counts. Others become entries of the top-level list.
        directives: Further declarations, such as its cost.
    """
    named = {error: _named(error) for error in errors}

    def decorate(resolver: "Callable[P, Awaitable[object]] | staticmethod[P, Any]") -> Any:
        function: Any = resolver.__func__ if isinstance(resolver, staticmethod) else resolver

        @functools.wraps(function)
        async def guarded(*args: P.args, **kwargs: P.kwargs) -> object:
            require(permission, kwargs)
            try:
                return await function(*args, **kwargs)
            except tuple(errors) as error:
                cls = next(cls for cls in type(error).__mro__ if cls in named)
                return named[cls].answer(error, errors[cls])
            finally:
                info: Any = kwargs["info"]
                info.context.read_anew()

        name = "".join(part.title() for part in function.__name__.split("_"))
        members = (success, *(each.graphql_type for each in named.values()))
        union = strawberry.union(
            f"{name}Result", description="What was done, or why it could not be done."
        )
        answer: Any = Annotated[Union[members], union]  # noqa: UP007 - made of values
        return strawberry.mutation(
            resolver=guarded,
            description=first_paragraph(function),
            directives=[RequiresPermission(permission=permission), *directives],
            graphql_type=answer | None,
        )

    return decorate
