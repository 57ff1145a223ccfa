"""What an answer says went wrong, wherever an exchange or a gateway before it puts the words."""

from collections.abc import Iterable
from typing import Any

from privstream.model.exact import encode

KEYS = (
    *("error", "errorMessage", "Error", "error_message", "message", "msg", "detail"),
    *("error_description", "errors"),
)
"""Where the words of an error stand, the exchanges' own keys before those of gateways."""


def words_of(answer: dict[str, Any], keys: Iterable[str] = KEYS) -> str:
    """The words of an error; "" where the answer has none."""
    return next(filter(None, (words_in(answer.get(key)) for key in keys)), "")


def words_in(said: object) -> str:
    """A value in words: of a list all, of an object what stands where words do, else as it came."""
    if isinstance(said, str):
        return said.strip()
    if isinstance(said, list):
        return ", ".join(filter(None, map(words_in, said)))
    if isinstance(said, dict):
        return words_of(said) or (encode(said).decode() if said else "")
    return "" if said is None or isinstance(said, bool) else str(said)
