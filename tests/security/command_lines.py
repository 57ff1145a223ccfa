"""How every command is called to see what it leaks, and which commands there are.

The one rule: the commands are found by walking the command line itself, so that none is forgotten.
"""

import base64
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from privstream import exchanges
from privstream.cli.commands import COMMANDS
from privstream.cli.lazy import LazyGroup
from tests.security.treasure import canary

Path = tuple[str, ...]
SPARE_KEY, SPARE_SECRET = canary(70), canary(71)
FORGED_KEY, FORGED_SECRET = canary(72), canary(73)
HOOK_SECRET = "whsec_" + base64.b64encode(canary(74).encode()).decode()
LIMIT_ORDER = "--side buy --type limit --quantity 0.01 --price 20000"


@dataclass(frozen=True)
class Row:
    """One way to call a command; `{folder}` is an empty folder of its own."""

    words: str
    code: int | None = 0
    """`None` where it is a matter of chance what comes first."""
    before: str = ""
    """What has to be done first."""
    stdin: str = ""
    gives_out: bool = False
    """Stdout is meant to hold secrets: only what is said on stderr counts."""
    levels: bool = False
    """It is called at every level, not only at the loudest."""

    @property
    def name(self) -> str:
        return self.words.replace("{folder}/", "")

    def lines(self, folder: object) -> list[list[str]]:
        """What is done first, if anything, and the line itself."""
        words = (self.before, self.words) if self.before else (self.words,)
        return [shlex.split(line.format(folder=folder)) for line in words]


ROWS: dict[Path, tuple[Row, ...]] = {
    ("watch", "all"): (
        Row("watch all --count 40 --raw --status --to file:{folder}/events", code=None),
        Row("watch all nothing", code=2),
    ),
    ("watch", "kraken"): (
        Row("watch kraken --count 6 --raw --status", levels=True),
        Row("watch kraken --count 6 --resume --to file:{folder}/events"),
        Row("watch kraken --count 4 --format raw"),
        Row("watch kraken --count 6 --format pretty --audit 0 --protocol v2"),
        Row("watch kraken --account forged", code=4),
        Row("watch kraken --account nobody", code=3),
        Row("watch kraken --secret x", code=2),
    ),
    ("run",): (
        Row("run --duration 1s", code=None),
        Row("run -a kraken --duration 1s --raw"),
        Row("run -a nobody", code=3),
    ),
    ("replay",): (
        Row(
            "replay {folder}/recording --raw",
            before="record {folder}/recording kraken --count 4",
            levels=True,
        ),
        Row("replay /none", code=2),
    ),
    ("report",): (
        Row("report poloniex --since 10s --json", code=None),
        Row(
            "report --from {folder}/events --csv",
            before="watch kraken --count 6 --to file:{folder}/events",
        ),
        Row("report nobody", code=3),
    ),
    ("demo",): (Row("demo --count 5 --rate 50"),),
    ("simulate",): (Row("simulate kraken indodax --port 0", code=130, gives_out=True),),
    ("schema",): (Row("schema"), Row("schema trade"), Row("schema secret", code=2)),
    ("token", "check"): (
        Row("token check kraken indodax", levels=True),
        Row("token check", code=4),
        Row("token check nobody", code=3),
    ),
    ("token", "show"): (
        Row("token show kraken", before="token refresh kraken"),
        Row("token show kraken", code=3),
        Row("token show kraken --reveal", before="token refresh kraken", gives_out=True),
        Row("token show indodax", before="token refresh indodax"),
    ),
    ("token", "refresh"): (
        Row("token refresh kraken"),
        Row("token refresh indodax", before="token refresh indodax"),
        Row("token refresh forged", code=4),
        Row("token refresh bitfinex", code=2),
    ),
    ("doctor",): (
        Row("doctor kraken", code=None, levels=True),
        Row("doctor", code=3),  # an empty store of certificates is an error too
        Row("doctor nobody", code=3),
    ),
    ("accounts", "add"): (
        Row(
            "accounts add spare --exchange bitfinex --keep config --from-stdin",
            stdin=f"{SPARE_KEY}\n{SPARE_SECRET}\n",
            levels=True,
        ),
        Row(
            "accounts add kraken --keep config --from-stdin",
            stdin=f"{SPARE_KEY}\n{SPARE_SECRET}\n",
            code=3,
        ),
        Row(
            "accounts add spare --exchange kraken --keep config --from-stdin",
            stdin=f"{SPARE_KEY}\x1b\n{SPARE_SECRET}\n{SPARE_SECRET}\n{SPARE_SECRET}\n",
            code=None,
        ),
        Row(f"accounts add spare --exchange zerocap --env api_key={SPARE_KEY}/=", code=None),
        Row(f"accounts add {SPARE_KEY}", code=3),
    ),
    ("order", "place", "kraken"): (
        Row(f"order place kraken {LIMIT_ORDER} --symbol BTC/EUR --yes", levels=True),
        Row(f"order place kraken {LIMIT_ORDER} --symbol BTC/EUR --validate --yes", code=None),
        Row(f"order place kraken {LIMIT_ORDER} --symbol NO/SUCH --yes", code=None),
        Row(f"order place kraken {LIMIT_ORDER} --symbol BTC/EUR", code=2),
        Row(f"order place kraken {LIMIT_ORDER} --symbol BTC/EUR --yes --account forged", code=4),
    ),
    ("order", "place", "zerocap"): (
        Row(f"order place zerocap {LIMIT_ORDER} --symbol BTC/AUD --yes", code=None),
    ),
    ("order", "cancel", "kraken"): (
        Row("order cancel kraken OAAAAA-BBBBB-CCCCCC --yes", code=None),
    ),
    ("accounts", "list"): (Row("accounts list", levels=True),),
    ("accounts", "remove"): (
        Row("accounts remove forged --yes", levels=True),
        Row("accounts remove forged", code=None),
        Row("accounts remove nobody --yes", code=3),
    ),
}
for _name in exchanges.names():
    _id = exchanges.find(_name).order_id_form[1]
    ROWS |= {
        ("watch", _name): (
            *ROWS.get(("watch", _name), ()),
            Row(f"watch {_name} --count 6 --raw --status"),
        ),
        ("record", _name): (
            Row(f"record {{folder}}/recording {_name} --count 4", levels=_name == "kraken"),
        ),
        ("order", "get", _name): (Row(f"order get {_name} {_id}", code=None),),
        ("order", "list", _name): (Row(f"order list {_name} --raw", code=None),),
        ("wait", _name): (
            Row(f"wait {_name} {_id} --timeout 0.03s", code=None, levels=_name == "kraken"),
        ),
    }
    # Where there is no order entry it is refused, whatever is typed.
    for _action in ("place", "cancel"):
        _refused = (Row(f"order {_action} {_name} x --secret y", code=2),)
        ROWS.setdefault(("order", _action, _name), _refused)


def leaves() -> Iterator[tuple[Path, Any]]:
    """Every command that does something, with its Click command."""
    group = LazyGroup(name="privstream", lazy=COMMANDS)
    yield from _below(group, ())


def _below(command: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if not hasattr(command, "list_commands"):
        yield path, command
        return
    for name in command.list_commands(None):
        yield from _below(command.get_command(None, name), (*path, name))
