"""The values of variables, coerced by functions that are made once for each operation.

graphql-core asks each value anew what type it is for. Here that is asked once, and what is left to
do for a value is a look at its class. Only what is usual is taken; for anything else graphql-core
coerces the variables, so that its errors are told.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, TypeAlias

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLError,
    GraphQLFloat,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    GraphQLString,
    Undefined,
    VariableDefinitionNode,
    get_nullable_type,
)
from graphql.execution.get_variable_signature import (
    GraphQLVariableSignature,
    get_variable_signature,
)
from graphql.execution.values import VariableValues, VariableValueSource
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_literal

Coerce: TypeAlias = Callable[[Any], Any]
"""Returns the coerced value, or raises `UnusualError`."""

MAX_INT = 2_147_483_647
MIN_INT = -2_147_483_648
MAX_DEPTH = 16
"""How deeply the types of a value may be nested; deeper ones are graphql-core's."""


class UnusualError(Exception):
    """The value is not a usual one; graphql-core knows whether it is a valid one."""


class NotPlannableError(Exception):
    """Values of the type are only graphql-core's to coerce."""


class Variables:
    """The variables of an operation.

    Args:
        schema: The schema.
        definitions: The operation's definitions of variables, which are valid.

    Raises:
        NotPlannableError: If one is of a type that is not planned here.
    """

    def __init__(
        self, schema: GraphQLSchema, definitions: Sequence[VariableDefinitionNode]
    ) -> None:
        self._variables = []
        for node in definitions:
            signature = get_variable_signature(schema, node)
            if isinstance(signature, GraphQLError):
                raise NotPlannableError
            coerce = coercion_of(signature.type)
            self._variables.append((signature.name, signature, coerce, _absence_of(signature)))

    def values(self, raw: Mapping[str, Any] | None) -> VariableValues | None:
        """Return the coerced values of variables, or None where one is not usual.

        Args:
            raw: The values as they came in, by name.
        """
        given = raw or {}
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        for name, signature, coerce, absence in self._variables:
            try:
                if name in given:
                    value = given[name]
                    coerced[name] = coerce(value)
                    sources[name] = VariableValueSource(signature, value)
                else:
                    default = absence()
                    if default is not Undefined:
                        coerced[name] = default
                    sources[name] = VariableValueSource(signature)
            except Exception:  # noqa: BLE001 - graphql-core tells what it is
                return None
        return VariableValues(sources, coerced)


def _absence_of(signature: GraphQLVariableSignature) -> Callable[[], Any]:
    """Return what tells the value of a variable that is not given; `Undefined` leaves it out.

    Defaults that a resolver could alter are made anew each time.
    """
    of_type, default = signature.type, signature.default
    if default is None or default.literal is None:
        return _refuse if isinstance(of_type, GraphQLNonNull) else _leave_out
    literal = default.literal

    def make() -> Any:
        value = coerce_input_literal(literal, of_type)
        if value is Undefined:
            raise UnusualError
        return value

    leaf = get_nullable_type(of_type)
    if leaf not in _PLAIN and not isinstance(leaf, GraphQLEnumType):
        return make
    value = coerce_input_literal(literal, of_type)
    return make if value is Undefined else lambda: value


def _refuse() -> Any:
    raise UnusualError


def _leave_out() -> Any:
    return Undefined


def coercion_of(of_type: GraphQLInputType, depth: int = 0) -> Coerce:
    """Return what coerces the usual values of a type.

    Raises:
        NotPlannableError: If its values are only graphql-core's to coerce.
    """
    if depth > MAX_DEPTH:
        # A type that contains itself ends here, too.
        raise NotPlannableError
    if isinstance(of_type, GraphQLNonNull):
        return _coercion_of_value(of_type.of_type, depth)
    coerce = _coercion_of_value(of_type, depth)

    def coerce_or_null(value: Any) -> Any:
        return None if value is None else coerce(value)

    return coerce_or_null


def _coercion_of_value(of_type: Any, depth: int) -> Coerce:
    """Return what coerces values that are not null."""
    if isinstance(of_type, GraphQLList):
        return _list(coercion_of(of_type.of_type, depth + 1))
    if isinstance(of_type, GraphQLInputObjectType):
        return _input_object(of_type, depth + 1)
    plain = _PLAIN.get(of_type)
    return plain or _leaf(of_type.coerce_input_value)


def _leaf(coerce_input_value: Callable[[Any], Any]) -> Coerce:
    def coerce(value: Any) -> Any:
        if value is None:
            raise UnusualError
        coerced = coerce_input_value(value)
        if coerced is Undefined:
            raise UnusualError
        return coerced

    return coerce


def _text(value: Any) -> Any:
    if type(value) is str:
        return value
    raise UnusualError


def _boolean(value: Any) -> Any:
    if type(value) is bool:
        return value
    raise UnusualError


def _int(value: Any) -> Any:
    if type(value) is int and MIN_INT <= value <= MAX_INT:
        return value
    raise UnusualError


def _float(value: Any) -> Any:
    # The difference is NaN for NaN and the infinities.
    if type(value) is float and value - value == 0.0:
        return value
    if type(value) is int:
        return GraphQLFloat.coerce_input_value(value)
    raise UnusualError


_PLAIN: dict[object, Coerce] = {
    GraphQLString: _text,
    GraphQLID: _text,
    GraphQLBoolean: _boolean,
    GraphQLInt: _int,
    GraphQLFloat: _float,
}


def _list(item: Coerce) -> Coerce:
    def coerce(value: Any) -> Any:
        if type(value) is not list:
            raise UnusualError
        return list(map(item, value))

    return coerce


def _input_object(of_type: GraphQLInputObjectType, depth: int) -> Coerce:
    coerce = _fields(of_type.fields, depth)
    if of_type.is_one_of:
        coerce = _one_of(coerce)
    out_type = of_type.out_type
    if out_type is GraphQLInputObjectType.out_type:
        return coerce
    # Strawberry looks here whether an object of ``@oneOf`` has one field.
    return lambda value: out_type(coerce(value))


def _one_of(coerce_fields: Coerce) -> Coerce:
    def coerce(value: Any) -> Any:
        coerced = coerce_fields(value)
        if len(value) != 1 or len(coerced) != 1 or next(iter(coerced.values())) is None:
            raise UnusualError
        return coerced

    return coerce


def _fields(fields: Mapping[str, GraphQLInputField], depth: int) -> Coerce:
    general = _general_object(fields, depth)
    names = tuple(fields)
    is_float = all(_is_required_float(field) for field in fields.values())
    if not is_float or len(names) < 2:
        return general
    keys = tuple(field.out_name or name for name, field in fields.items())
    return _object_of_floats(names, keys, general)


def _is_required_float(field: GraphQLInputField) -> bool:
    of_type = field.type
    return isinstance(of_type, GraphQLNonNull) and of_type.of_type is GraphQLFloat


def _object_of_floats(names: tuple[str, ...], keys: tuple[str, ...], general: Coerce) -> Coerce:
    """Return the quick way for objects of numbers, which the rows of most models are."""
    getter = itemgetter(*names)
    count = len(names)

    def coerce(value: Any) -> Any:
        if type(value) is dict and len(value) == count:
            values = getter(value)
            total = sum(values) if set(map(type, values)) == _FLOAT else None
            # The sum is finite only if all of them are.
            if total is not None and total - total == 0.0:
                return dict(zip(keys, values, strict=True))
        return general(value)

    return coerce


_FLOAT = {float}


def _general_object(fields: Mapping[str, GraphQLInputField], depth: int) -> Coerce:
    parts = [
        (
            name,
            field.out_name or name,
            coercion_of(field.type, depth),
            field,
            isinstance(field.type, GraphQLNonNull),
        )
        for name, field in fields.items()
    ]
    known = frozenset(fields)

    def coerce(value: Any) -> Any:
        if type(value) is not dict or not known.issuperset(value):
            raise UnusualError
        coerced: dict[str, Any] = {}
        for name, key, coerce_field, field, is_non_null in parts:
            if name in value:
                coerced[key] = coerce_field(value[name])
                continue
            default = coerce_default_value(field)
            if default is not Undefined:
                coerced[key] = default
            elif is_non_null:
                raise UnusualError
        return coerced

    return coerce
