"""Examples of every command, for its help: lines that work as they stand, once accounts are there.

The one rule: a test runs each of them. `{name}` is the exchange of the subcommand, `{order}` an
order id of it.
"""

SHORT = ("{path}", "{path} --json")
VALIDATE = """privstream order place kraken --symbol BTC/EUR --side buy --type limit \\
    --quantity 0.01 --price 20000 --validate"""
PLACE = (
    """{path} --symbol BTC/EUR --side buy --type limit \\
    --quantity 0.01 --price 20000""",
    """{path} --symbol BTC/EUR --side sell --type limit \\
    --quantity 0.01 --price 90000 --yes --json""",
)
EXAMPLES: dict[str, tuple[str, ...]] = {
    "privstream": ("privstream demo", "privstream watch kraken"),
    "watch": ("privstream watch all --live", "privstream watch kraken orders trades --since today"),
    "watch all": (
        "privstream watch all -a desk -a main",
        "privstream watch all trades --json > fills.jsonl",
    ),
    "watch EXCHANGE": (
        "privstream watch {name} --live --since 2h",
        "privstream watch {name} trades --json --resume --to file:fills.jsonl",
    ),
    "run": ("privstream run", "privstream run -a desk -a main --audit 10m"),
    "record": (
        "privstream record frames.jsonl kraken",
        "privstream record frames.jsonl kraken orders --duration 10m",
    ),
    "record EXCHANGE": (
        "privstream record frames.jsonl {name}",
        "privstream record frames.jsonl {name} orders --duration 10m",
    ),
    "replay": (
        "privstream replay frames.jsonl",
        "privstream replay bare-frames.txt --exchange kraken --json",
    ),
    "report": (
        "privstream report all --since 7d",
        "privstream report kraken --since 2026-11-01 --csv > fills.csv",
    ),
    "demo": ("privstream demo --live", "privstream demo --rate 10 --json --count 20"),
    "simulate": (
        "privstream simulate > config.toml",
        "privstream simulate kraken --port 0 --fault drop@every=30s",
    ),
    "wait": (
        "privstream wait kraken OAAAAA-BBBBB-CCCCCC",
        "privstream wait kraken OAAAAA-BBBBB-CCCCCC --until closed --timeout 1h",
    ),
    "wait EXCHANGE": (
        "privstream wait {name} {order}",
        "privstream wait {name} {order} --until closed",
    ),
    "token": ("privstream token check", "privstream token show kraken"),
    "token check": ("privstream token check", "privstream token check kraken --min-ttl 10m --json"),
    "token show": ("privstream token show kraken", "privstream token show kraken --reveal"),
    "token refresh": ("privstream token refresh kraken", "privstream token refresh kraken --json"),
    "doctor": ("privstream doctor", "privstream doctor kraken --json"),
    "order": ("privstream order list kraken", "privstream order get kraken OAAAAA-BBBBB-CCCCCC"),
    "order place": (
        VALIDATE,
        "privstream help order place zerocap",
    ),
    "order place EXCHANGE": PLACE,
    "order cancel": (
        "privstream order cancel kraken OAAAAA-BBBBB-CCCCCC",
        "privstream order cancel kraken --all",
    ),
    "order cancel EXCHANGE": (
        "privstream order cancel {name} {order}",
        "privstream order cancel {name} --all --yes",
    ),
    "order get": (
        "privstream order get kraken OAAAAA-BBBBB-CCCCCC",
        "privstream order get kraken OAAAAA-BBBBB-CCCCCC --json",
    ),
    "order get EXCHANGE": (
        "privstream order get {name} {order}",
        "privstream order get {name} {order} --json",
    ),
    "order list": ("privstream order list kraken", "privstream order list kraken --json"),
    "order list EXCHANGE": (
        "privstream order list {name}",
        "privstream order list {name} -a {name} --json",
    ),
    "accounts": ("privstream accounts add kraken", "privstream accounts list"),
    "accounts add": (
        "privstream accounts add kraken",
        "privstream accounts add desk --exchange kraken --keep env --read-only",
    ),
    "accounts list": ("privstream accounts list", "privstream accounts list --json"),
    "accounts remove": (
        "privstream accounts remove desk",
        "privstream accounts remove desk --yes",
    ),
    "schema": ("privstream schema", "privstream schema trade > trade.schema.json"),
}
"""By the words of the command; without a row of its own an exchange's subcommand has its group's."""


def examples_of(path: str) -> tuple[str, ...]:
    """Those of a command, `privstream watch kraken`."""
    words = path.split()[1:]
    rows = (" ".join(words), " ".join([*words[:-1], "EXCHANGE"]), "privstream")
    [row, *_] = [EXAMPLES[row] for row in rows if row in EXAMPLES]
    if not any("{" in one for one in row):
        return row
    from privstream import exchanges  # noqa: PLC0415 - only where an exchange is named

    order = exchanges.find(words[-1]).order_id_form[1] or "ORDER_ID"
    return tuple(one.format(path=path, name=words[-1], order=order) for one in row)
