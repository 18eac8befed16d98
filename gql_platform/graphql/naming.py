"""GraphQL names for models and columns, whatever these are called.

A GraphQL name matches ``[_A-Za-z][_0-9A-Za-z]*`` and does not begin with two underscores
(GraphQL specification, September 2025, section 2.1.9). The rules, in this order:

1. Accents are taken off (Unicode NFKD); what is not a letter or digit of ASCII separates words.
2. Words are joined in camelCase for fields, in PascalCase for types. A word in capitals counts as
   one word; inside other words the case is kept.
3. A name without any letter or digit becomes ``column``, ``model`` or ``Model``; one that begins
   with a digit gets an underscore in front.
4. Names that come out equal are told apart by ``_2``, ``_3`` and so on, in their given order.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

_SEPARATORS = re.compile(r"[^0-9A-Za-z]+")


def words_of(name: str) -> list[str]:
    """Split a name into words of ASCII letters and digits."""
    plain = unicodedata.normalize("NFKD", name)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return [word for word in _SEPARATORS.split(plain) if word]


def field_name(name: str, *, otherwise: str) -> str:
    """Return the camelCase name of a field: ``mean radius`` becomes ``meanRadius``."""
    words = words_of(name)
    if not words:
        return otherwise
    head = words[0].lower() if words[0].isupper() else words[0][0].lower() + words[0][1:]
    return _valid(head + "".join(map(_capital, words[1:])))


def type_name(name: str) -> str:
    """Return the PascalCase name of a type: ``breast_cancer`` becomes ``BreastCancer``."""
    return _valid("".join(map(_capital, words_of(name))) or "Model")


def unique(names: Sequence[str], *, taken: Iterable[str] = ()) -> list[str]:
    """Tell equal names apart by a number, in their order.

    Args:
        names: Valid names, some of them equal.
        taken: Names that none of them may have.
    """
    used = set(taken)
    found = []
    for name in names:
        candidate, number = name, 1
        while candidate in used:
            number += 1
            candidate = f"{name}_{number}"
        used.add(candidate)
        found.append(candidate)
    return found


def _capital(word: str) -> str:
    return word[0].upper() + (word[1:].lower() if word.isupper() else word[1:])


def _valid(name: str) -> str:
    return f"_{name}" if name[0].isdigit() else name
