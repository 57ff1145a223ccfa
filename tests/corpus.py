"""Real frames, beside the project where there are any: they are never copied into it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1].parent / "shared" / "corpus"
needs_corpus = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the folder with real frames is not beside this checkout"
)


def frames(exchange: str) -> Iterator[tuple[str, bytes]]:
    """Every line of an exchange's frames, with the name of its file."""
    for path in sorted((FOLDER / exchange).rglob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            if line.strip():
                yield path.stem, line
