"""Memories of bounded size.

The one rule: a memory surely knows the latest and forgets the oldest. Pure.
"""

from collections import OrderedDict


class Recent:
    """A set whose latest `size` members are surely in it."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._young: set[str] = set()
        self._old: set[str] = set()

    def __contains__(self, member: object) -> bool:
        return member in self._young or member in self._old

    def add(self, member: str) -> bool:
        """Take it in; False where it was there already."""
        if member in self._young or member in self._old:
            return False
        self._young.add(member)
        if len(self._young) >= self._size:
            self._old, self._young = self._young, set()
        return True


class Occurrences:
    """Numbers a name that comes again, so that no id comes twice."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._times: OrderedDict[str, int] = OrderedDict()

    def name(self, name: str) -> str:
        """The name itself the first time, then `name:2`, `name:3` and so on."""
        times = self._times.get(name, 0) + 1
        self.recall(name, times)
        return name if times == 1 else f"{name}:{times}"

    def times(self, name: str) -> int:
        """How often it came, as far as is known."""
        return self._times.get(name, 0)

    def recall(self, name: str, times: int) -> None:
        """It came so often until now."""
        self._times[name] = times
        self._times.move_to_end(name)
        if len(self._times) > self._size:
            self._times.popitem(last=False)
