"""Memories of bounded size: they surely know the latest, and forget the oldest."""

from collections import OrderedDict


class Recent:
    """A set whose latest `size` members are surely in it."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._young: set[str] = set()
        self._old: set[str] = set()

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
        self._times[name] = times
        self._times.move_to_end(name)
        if len(self._times) > self._size:
            self._times.popitem(last=False)
        return name if times == 1 else f"{name}:{times}"
