"""Every test here has canaries for secrets."""

import pytest

from tests.security.treasure import Treasure, bury


@pytest.fixture
def treasure(monkeypatch: pytest.MonkeyPatch) -> Treasure:
    """The secrets of one test."""
    return bury(monkeypatch)
