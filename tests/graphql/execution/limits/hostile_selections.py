"""Families of hostile documents: fragments and fields, more than anyone needs."""

from collections.abc import Callable


def _join(make: Callable[[int], str], count: int) -> str:
    return " ".join(make(at) for at in range(count))


def fragment_chain(size: int) -> str:
    """Each fragment spreads the next one twice."""
    last = 10 + 3 * size
    chain = _join(lambda at: f"fragment F{at} on Server {{ ...F{at + 1} ...F{at + 1} }}", last)
    return f"{{ server {{ ...F0 }} }} {chain} fragment F{last} on Server {{ state }}"


def fragment_chain_of_lists(size: int) -> str:
    """Each fragment spreads the next one in two lists."""
    spread = "versions(first: 2) { nodes { model { ...F%d } } }"
    chain = _join(
        lambda at: f"fragment F{at} on Model {{ a: {spread % (at + 1)} b: {spread % (at + 1)} }}",
        4 + size,
    )
    return f"{{ node(id: 1) {{ ...F0 }} }} {chain} fragment F{4 + size} on Model {{ name }}"


def fragment_cycle(size: int) -> str:
    """The last fragment spreads the first."""
    cycle = _join(lambda at: f"fragment F{at} on Server {{ state ...F{(at + 1) % size} }}", size)
    return f"{{ server {{ ...F0 }} }} {cycle}"


def fragment_cycle_aside(size: int) -> str:
    """A cycle in fragments that nothing uses."""
    cycle = _join(
        lambda at: (
            f"fragment F{at} on Model {{ servingVersion {{ model {{ ...F{(at + 1) % size} }} }} }}"
        ),
        size,
    )
    return f"{{ server {{ state }} }} {cycle}"


def same_spread(size: int) -> str:
    """One fragment, spread again and again."""
    spreads = "...F " * (400 * size)
    return f"{{ server {{ {spreads} }} }} fragment F on Server {{ state __typename state }}"


def many_fragments(size: int) -> str:
    """More fragments than anyone reads."""
    count = 100 + size
    spreads = _join(lambda at: f"...F{at}", count)
    fragments = _join(lambda at: f"fragment F{at} on Server {{ state }}", count)
    return f"{{ server {{ {spreads} }} }} {fragments}"


def unused_fragments(size: int) -> str:
    """Fragments that are validated for nothing."""
    unused = _join(lambda at: f"fragment F{at} on Server {{ {'state ' * 20} }}", 4 * size)
    return f"{{ server {{ state }} }} {unused}"


def fragments_in_pairs(size: int) -> str:
    """Fragments beside each other, whose fields must be compared pair by pair."""
    count = 50 + size
    spreads = _join(lambda at: f"...F{at}", count)
    names = "description name createdAt updatedAt id __typename"
    fragments = _join(lambda at: f"fragment F{at} on Model {{ {names} }}", count)
    return f"{{ node(id: 1) {{ ... on Model {{ {spreads} }} }} }} {fragments}"


def fragments_of_all_others(size: int) -> str:
    """Each fragment spreads all later ones, with nothing in them."""
    count = 50 + size
    fragments = _join(
        lambda at: (
            f"fragment F{at} on Server {{ {_join(lambda b: f'...F{at + 1 + b}', count - at - 1)} }}"
        ),
        count,
    )
    return f"{{ server {{ ...F0 }} }} {fragments}"


def unknown_fragments(size: int) -> str:
    """Spreads of what is not there."""
    return f"{{ server {{ {_join(lambda at: f'...F{at}', 70 * size)} }} }}"


def alias_flood(size: int) -> str:
    """The same field under many names."""
    return f"{{ server {{ {_join(lambda at: f'a{at}: state', 40 * size + 11)} }} }}"


def alias_flood_in_fragments(size: int) -> str:
    """The same, spread over fragments."""
    fragments = _join(
        lambda at: f"fragment F{at} on Server {{ {_join(lambda b: f'a{at}_{b}: state', 6)} }}",
        8 + size,
    )
    return f"{{ server {{ {_join(lambda at: f'...F{at}', 8 + size)} }} }} {fragments}"


def duplicate_fields(size: int) -> str:
    """The same field of the root again and again."""
    return f"{{ {'server { state } ' * (20 + 20 * size)} }}"


def duplicate_leaves(size: int) -> str:
    """The same field of an object again and again, which is quadratic to merge."""
    return f"{{ server {{ {'state ' * (140 * size)} }} }}"


def duplicate_objects(size: int) -> str:
    """The same objects again and again, which is slower still."""
    inner = "nodes { versions(first: 1) { nodes { model { name } } } } "
    return f"{{ models(first: 1) {{ {inner * (60 + 6 * size)} }} }}"


def conflicting_fields(size: int) -> str:
    """Fields under one name that cannot be merged."""
    fields = _join(lambda at: f"a: {'state' if at % 2 else '__typename'}", 2 * size)
    return f"{{ server {{ {fields} }} }}"


def conflicting_arguments(size: int) -> str:
    """Fields whose arguments differ, under one name."""
    fields = _join(lambda at: f"versions(first: {at}) {{ totalCount }}", 1 + 10 * size)
    return f"{{ node(id: 1) {{ ... on Model {{ {fields} }} }} }}"


def unknown_fields(size: int) -> str:
    """Fields that are not there, but look as if; each asks for suggestions."""
    return f"{{ server {{ {_join(lambda at: f'stat{at}', 60 * size)} }} }}"


def typename_flood(size: int) -> str:
    """A field that every type has."""
    return f"{{ {'__typename ' * (21 + 100 * size)} }}"


def wide_root(size: int) -> str:
    """Many fields of the root, which run at once."""
    return f"{{ {_join(lambda at: f'm{at}: models {{ totalCount }}', 20 + size)} }}"


def deep_nesting(size: int) -> str:
    """Objects in objects."""
    pairs = 8 + size
    return (
        "{ node(id: 1) { ... on Model { "
        + "servingVersion { model { " * pairs + "name" + " } }" * pairs + " } } }"
    )  # fmt: skip


def deep_inline_fragments(size: int) -> str:
    """Inline fragments in inline fragments, up to more than the parser takes."""
    return "{ server " + "{ ... " * (45 + 10 * size) + "{ state }" + " }" * (46 + 10 * size)


def wide_inline_fragments(size: int) -> str:
    """Inline fragments beside each other."""
    return f"{{ server {{ {'... on Server { state } ' * (150 * size)} }} }}"


def introspection_depth(size: int) -> str:
    """Types of fields of types of fields."""
    inner = "fields { type { " * (3 + size)
    return f"{{ __schema {{ types {{ {inner} name {'} } ' * (3 + size)} }} }} }}"


def introspection_lists(size: int) -> str:
    """Lists of introspection in each other, through fragments."""
    chain = _join(
        lambda at: (
            f"fragment F{at} on __Type "
            f"{{ possibleTypes {{ ...F{at + 1} }} interfaces {{ ...F{at + 1} }} }}"
        ),
        3 + size,
    )
    return (
        f'{{ __type(name: "Node") {{ ...F0 }} }} {chain} fragment F{3 + size} on __Type {{ name }}'
    )


FAMILIES = (
    fragment_chain,
    fragment_chain_of_lists,
    fragment_cycle,
    fragment_cycle_aside,
    same_spread,
    many_fragments,
    unused_fragments,
    fragments_in_pairs,
    fragments_of_all_others,
    unknown_fragments,
    alias_flood,
    alias_flood_in_fragments,
    duplicate_fields,
    duplicate_leaves,
    duplicate_objects,
    conflicting_fields,
    conflicting_arguments,
    unknown_fields,
    typename_flood,
    wide_root,
    deep_nesting,
    deep_inline_fragments,
    wide_inline_fragments,
    introspection_depth,
    introspection_lists,
)
