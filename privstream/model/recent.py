"""Memories of bounded size.

The one rule: a memory surely knows the latest and forgets the oldest. Pure.
"""


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
