"""Families of hostile documents: sizes, directives, values, variables, and text itself."""

from collections.abc import Callable


def _join(make: Callable[[int], str], count: int) -> str:
    return " ".join(make(at) for at in range(count))


def pages_of_pages(size: int) -> str:
    """A hundred items with a hundred items each."""
    return (
        "{ models(first: 100) { nodes { versions(first: 100) { nodes { "
        f"{_join(lambda at: f'a{at}: metrics {{ key value step }}', size)} tags {{ key value }} "
        "} } } } }"
    )


def giant_page(size: int) -> str:
    """A page of as many items as the number can say."""
    return f"{{ models(first: {'9' * (5 + size)}) {{ nodes {{ name tags {{ key value }} }} }} }}"


def giant_page_variable(size: int) -> tuple[str, dict[str, object]]:
    """The same, through a variable."""
    text = "query ($n: Int!) { models(first: $n) { nodes { name tags { key value } } } }"
    return text, {"n": 10 ** (4 + size)}


def giant_page_default(size: int) -> str:
    """The same, through the default of a variable."""
    number = 10 ** (4 + size)
    return (
        f"query ($n: Int! = {number}) {{ models(first: $n) {{ nodes {{ name tags {{ key }} }} }} }}"
    )


def directives_at_one_place(size: int) -> str:
    """Many directives on one field."""
    return f"{{ server {{ state {'@skip(if: false) ' * (5 + size)} }} }}"


def directives_everywhere(size: int) -> str:
    """A directive on each of many fields."""
    return f"{{ server {{ {'state @include(if: true) ' * (100 + 10 * size)} }} }}"


def unknown_directives(size: int) -> str:
    """Directives that are not there."""
    return f"{{ server {{ {_join(lambda at: f'state @d{at} @e{at}', 2 * size)} }} }}"


def giant_number(size: int) -> str:
    """A number of so many digits that reading it takes long."""
    return f"{{ models(first: {'1' * (2_400 * size)}) {{ totalCount }} }}"


def giant_string(size: int) -> str:
    """A long text, or more of them."""
    return f'{{ node(id: "{"x" * (60_000 + 6_000 * size)}") {{ id }} }}'


def giant_block_string(size: int) -> str:
    """A block of lines whose common indentation must be found."""
    return '{ node(id: """' + "\n  x" * (16_000 + 1_000 * size) + '""") { id } }'


def deep_list_literal(size: int) -> str:
    """Lists in lists, up to more than the parser takes."""
    return f"{{ nodes(ids: {'[' * (10 * size)}{']' * (10 * size)}) {{ id }} nope }}"


def deep_object_literal(size: int) -> str:
    """Objects in objects, up to more than the parser takes."""
    return f"{{ model(by: {'{name: ' * (10 * size)}1{'}' * (10 * size)}) {{ id }} }}"


def wide_list_literal(size: int) -> str:
    """A list of many values, each of them wrong."""
    return f"{{ nodes(ids: [{'{} ' * (100 * size)}]) {{ id }} }}"


def wide_object_literal(size: int) -> str:
    """An object with many fields that its type does not have."""
    return f"{{ model(by: {{ {_join(lambda at: f'nam{at}: 1', 60 * size)} }}) {{ id }} }}"


def wide_arguments(size: int) -> str:
    """Many arguments that a field does not have."""
    return f"{{ models({_join(lambda at: f'firs{at}: 1', 60 * size)}) {{ totalCount }} }}"


def many_operations(size: int) -> str:
    """Many operations, of which one could run."""
    return _join(lambda at: f"query Q{at} {{ server {{ state }} }}", 10 + 4 * size)


def operations_with_one_fragment(size: int) -> str:
    """Operations whose variables are looked for in the same large fragment."""
    uses = _join(lambda at: f"$v{at}", 60 * size)
    operations = _join(lambda at: f"query Q{at} {{ ...F }}", 10)
    return f"{operations} fragment F on Query {{ nodes(ids: [{uses}]) {{ id }} }}"


def many_variables(size: int) -> str:
    """Many variables, of which none is used."""
    return f"query ({_join(lambda at: f'$v{at}: Int', 40 * size)}) {{ server {{ state }} }}"


def undeclared_variables(size: int) -> str:
    """Many variables, of which none is declared."""
    return f"{{ nodes(ids: [{_join(lambda at: f'$v{at}', 60 * size)}]) {{ id }} }}"


def nested_variable_default(size: int) -> str:
    """A default of lists in lists, for a variable of a wrong type."""
    default = "[" * (10 * size) + "]" * (10 * size)
    return f"query ($by: ModelBy! = {default}) {{ model(by: $by) {{ id }} }}"


def unicode_names(size: int) -> str:
    """Letters that no name may have, some of them invisible."""
    return "{ server { st\u0430te" + "\u202e\u200b\U0001f600é" * size + " } }"


def unicode_strings(size: int) -> str:
    """Few characters that are many bytes."""
    return '{ node(id: "' + "\U0001f600" * (16_000 + 1_000 * size) + '") { id } }'


def comments_only(size: int) -> str:
    """Nothing but comments."""
    return "# nothing\n" * (400 * size)


def comments_around(size: int) -> str:
    """A document between comments."""
    return "#\n" * (4_000 + 400 * size) + "{ server { state } }"


def spaces(size: int) -> str:
    """A document between signs that are ignored."""
    return " ,\n\t" * (16_384 + 400 * size) + "{ server { state } }"


def unclosed(size: int) -> str:
    """Braces that nothing closes."""
    return "{ server " * (40 * size)


FAMILIES = (
    pages_of_pages,
    giant_page,
    giant_page_variable,
    giant_page_default,
    directives_at_one_place,
    directives_everywhere,
    unknown_directives,
    giant_number,
    giant_string,
    giant_block_string,
    deep_list_literal,
    deep_object_literal,
    wide_list_literal,
    wide_object_literal,
    wide_arguments,
    many_operations,
    operations_with_one_fragment,
    many_variables,
    undeclared_variables,
    nested_variable_default,
    unicode_names,
    unicode_strings,
    comments_only,
    comments_around,
    spaces,
    unclosed,
)
