"""What somebody may do next who named no command: it depends on what is configured."""

from collections.abc import Mapping

from privstream.model.errors import PrivstreamError
from privstream.settings.config import Config, load

STREAMING = ("watch", "record")


def next_step(variables: Mapping[str, str], command: str | None) -> str:
    """A sensible command line, in a sentence."""
    try:
        config = load(variables)
        names = config.names()
    except PrivstreamError:
        return "the settings cannot be read; privstream doctor says why"
    if not names:
        return (
            "nothing is configured yet: privstream demo shows it without a key, "
            "privstream accounts add kraken sets one up"
        )
    return f"for one, privstream {_line(config, names, command)}"


def _line(config: Config, names: tuple[str, ...], command: str | None) -> str:
    exchange = config.settings(names[0]).exchange
    account = "" if names[0] == exchange else f" -a {names[0]}"
    if command == "record":
        return f"record frames.jsonl {exchange}{account}"
    if len(names) > 1 and command not in {"order", "wait"}:
        return "watch all"
    return f"watch {exchange}{account}"
