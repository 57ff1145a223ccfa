"""Keeps who traded against the user out of notices, which show what could not be read.

The one rule: an `unrecognised` notice goes out with its element even without --raw, so
names of counterparties are taken out of that element first. Old servers send them
(https://pypi.org/project/zerocap-api/, checked 2026-11-30).
"""

import re
from typing import Any, TypeVar

import msgspec

from privstream.model.exact import Number
from privstream.model.reports import NoticeReport

T = TypeVar("T")

VEIL = "****"
DEEPEST = 32  # no frame of Zerocap's is nested deeper than five levels
_PRIVATE = frozenset({"counterparty", "orderfrom", "internalextradata"})
# In a frame that is no JSON. A value that is no plain text hides the rest of the frame.
_PRIVATE_TEXT = re.compile(
    r"(counter_?party|order_?from|internal_?extra_?data)"
    r"""((?:\\*["'])?\s*[:=]\s*)("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|.*)""",
    re.IGNORECASE | re.DOTALL,
)


def veiled(action: T) -> T:
    """The same, but for a notice of what could not be read: that one without names."""
    if isinstance(action, NoticeReport) and action.code == "unrecognised":
        return msgspec.structs.replace(action, element=without_names(action.element))
    return action


def without_names(element: Any, depth: int = 0) -> Any:
    """The element with the values of private keys covered."""
    if depth > DEEPEST:
        return VEIL
    if isinstance(element, dict):
        return {
            key: VEIL if _is_private(key) else without_names(value, depth + 1)
            for key, value in element.items()
        }
    if isinstance(element, list):
        return [without_names(value, depth + 1) for value in element]
    if isinstance(element, str) and not isinstance(element, Number):
        return _PRIVATE_TEXT.sub(rf'\1\2"{VEIL}"', element)
    return element


def _is_private(key: str) -> bool:
    return key.replace("_", "").lower() in _PRIVATE
