"""Says why an element could not be read, for a person who looks at the element.

The one rule: it is told by what stands in the element; the text of a Python error is no help
to anybody but us, and is never shown.
"""

from collections.abc import Iterator
from typing import Any

from privstream.model.exact import Unreadable, kind_of

DEEPEST = 4
"""No exchange's elements are nested deeper."""


def described(problem: Exception, element: Any) -> str:
    """What is wrong with the element, as the end of a sentence."""
    if isinstance(problem, Unreadable):
        return _named(problem, element)
    if not isinstance(element, dict | list | tuple):
        return f"it is {kind_of(element)}, not an object"
    if isinstance(problem, AttributeError) and problem.name in _OF_OBJECTS:
        return _no_object(problem.obj, element)
    if isinstance(problem, KeyError) and _is_missing(problem.args[:1], element):
        return f"`{problem.args[0]}` is missing"
    if isinstance(problem, IndexError):
        return "it is too short"
    return "something in it is not as documented"


_OF_OBJECTS = frozenset(dir(dict))


def _named(problem: Unreadable, element: Any) -> str:
    """The problem's own words; where they speak of a value, with the key that it stands at."""
    text = str(problem)
    key = _key_of(problem.value, element) if text.startswith("it is ") else None
    return text if key is None else f"`{key}` is {text.removeprefix('it is ')}"


def _no_object(value: object, element: Any) -> str:
    """Something was read like an object, and is none."""
    key = None if value is element else _key_of(value, element)
    where = "it" if key is None else f"`{key}`"
    return f"{where} is {kind_of(value)}, not an object"


def _key_of(value: object, element: Any) -> str | None:
    if value is None or (isinstance(element, list | tuple) and any(at is value for at in element)):
        return None
    found = [key for key, at in _entries(element) if at is value]
    return found[0] if len(found) == 1 else None  # equal short texts may be one and the same


def _is_missing(name: tuple[object, ...], element: Any) -> bool:
    return isinstance(name[0], str) and all(key != name[0] for key, _ in _entries(element))


def _entries(element: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """The keys of an element and of what is in it, with their values."""
    if depth > DEEPEST:
        return
    if isinstance(element, dict):
        yield from element.items()
        element = element.values()
    elif not isinstance(element, list | tuple):
        return
    for inner in element:
        yield from _entries(inner, depth + 1)
