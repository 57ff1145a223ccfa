"""Which words of a person may be quoted back to them.

The one rule: a secret pasted into the wrong place (as a key of the file, as the name of a
variable, as an account) is never shown again; what may be one is called "a name" only.
"""

import re

_PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,32}")
_LONGEST_MIXED = 15
"""Characters: the shortest key of an exchange that mixes letters and digits has 32."""


def may_be_secret(text: str) -> bool:
    """It is no word that people make up: too long, of odd characters, or letters and digits mixed."""
    if not _PLAIN.fullmatch(text):
        return True
    mixed = [part for part in re.split(r"[_.-]", text) if not (part.isalpha() or part.isdigit())]
    return sum(map(len, mixed)) > _LONGEST_MIXED


def quoted(text: str, instead: str = "a name that is not shown, since it may be a secret") -> str:
    """The text in quotes, or other words where it may be a secret."""
    return instead if may_be_secret(text) else repr(text)
