"""What is known of an account that hosts take over from each other: its notes, and how far it is whole.

The one rule: it holds what lies in the stream, never more. It answers the same questions as the
state file of --resume.
"""

from collections.abc import Generator, Iterable, Sequence

from privstream.delivery.ha.word import Entry, Word
from privstream.delivery.resume_file import KEPT_NS
from privstream.model.errors import ConfigError


class Memory:
    """One account's notes, latest last."""

    resumes = True

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self._entries: dict[tuple[str, str], Entry] = {}
        self.whole_ns: int | None = None
        self.is_complete = True
        """The stream still had all that it was to be made of."""

    @property
    def is_new(self) -> bool:
        """Nobody streamed the account before."""
        return self.whole_ns is None

    @property
    def resume_from_ns(self) -> int | None:
        return self.whole_ns

    def read(self, words: Sequence[Word]) -> None:
        """All words from the last full one on."""
        self.is_complete = bool(words) and words[0].is_full and words[0].part == 0
        for word in words:
            self.take(word.notes, word.whole_ns)

    def take(self, entries: Iterable[Entry], whole_ns: int) -> None:
        """These lie in the stream now."""
        for entry in entries:
            place = (entry.kind, entry.key)
            self._entries.pop(place, None)  # the latest is the last, as they are told again
            if entry.value is not None:
                self._entries[place] = entry
        self.whole_ns = whole_ns

    def all(self) -> list[Entry]:
        """What a full word holds; what nothing reads back as news any more is forgotten."""
        since = (self.whole_ns or 0) - KEPT_NS
        kept = {
            place: entry
            for place, entry in self._entries.items()
            if entry.lasting or entry.noted_ns >= since
        }
        self._entries = kept
        return list(kept.values())

    def notes(self) -> Generator[tuple[str, str, bytes], None, None]:
        """Kind, key and value of all that is remembered, oldest first."""
        for entry in list(self._entries.values()):
            yield entry.kind, entry.key, entry.value or b""

    def damaged(self, why: str) -> ConfigError:
        """What to raise where a note makes no sense."""
        return ConfigError(
            f"what hosts know of this account, {self._subject} in the stream, is damaged: {why}",
            f"nats stream purge --subject {self._subject} begins anew; "
            "what happened since the last word is not told then",
        )
