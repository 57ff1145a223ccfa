"""What exchanges call things, in common words, and names that must be asked for.

The one rule: a name only decorates a fact. One that cannot be had costs nothing but itself.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from privstream.exchanges.base import MALFORMED
from privstream.model.errors import Interrupted, Refused, Unreachable
from privstream.model.exact import Unreadable
from privstream.model.rest import RestFlow


@lru_cache(maxsize=1024)
def word(text: str) -> str:
    """Lower case, joined by underscores: `User requested` is `user_requested`."""
    return "_".join(text.replace("-", " ").lower().split())


def currency_code(code: object) -> str:
    """A currency's code. Raises Unreadable for what is none."""
    if not isinstance(code, str) or not code:
        raise Unreadable("no currency")
    return code


AskNames = Callable[[tuple[str, ...]], RestFlow[Mapping[str, str]]]
"""Asks the exchange for these names; brings those that it told, and others that it added."""


class Names:
    """Names that the exchange is asked for, once each."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._unknown: set[str] = set()
        """Refused by themselves: the exchange has no such name, and is not asked again."""

    def get(self, name: str) -> str | None:
        """What is known of a name."""
        return self._known.get(name)

    def learn(self, names: Mapping[str, str]) -> None:
        """Take what was told somewhere else."""
        self._known.update(names)

    def ask(self, wanted: Iterable[str], ask: AskNames) -> RestFlow[None]:
        """Ask for those that are new: together, and where that is refused one by one."""
        new = tuple(sorted(set(wanted) - self._known.keys() - self._unknown))
        if not new:
            return
        try:
            self.learn((yield from ask(new)))
        except Refused:
            yield from self._ask_one_by_one(new, ask)
        except Interrupted:
            raise
        except (Unreachable, *MALFORMED):  # asked again with the next facts
            return

    def _ask_one_by_one(self, names: tuple[str, ...], ask: AskNames) -> RestFlow[None]:
        for name in names:
            try:
                self.learn((yield from ask((name,))))
            except Refused:
                self._unknown.add(name)
            except Interrupted:
                raise
            except (Unreachable, *MALFORMED):
                continue
