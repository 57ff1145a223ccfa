"""Words of exchanges as events have them."""

from functools import lru_cache


@lru_cache(maxsize=1024)
def word(text: str) -> str:
    """Lower case, joined by underscores: `User requested` is `user_requested`."""
    return "_".join(text.replace("-", " ").lower().split())
