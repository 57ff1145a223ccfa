"""What an API key may do: whether that is all that a stream needs, and no more.

The one rule: what the exchange does not tell is said to be unknown, never to be fine.
"""

from collections.abc import Iterator

from privstream.doctor.findings import Finding, passed, skipped, warned, wrong
from privstream.exchanges.base import Right
from privstream.model.errors import Exit


def examine_rights(title: str, rights: tuple[Right, ...]) -> Iterator[Finding]:
    """The rights to read in one line, each that is missing, and those that are too many."""
    reads = [right for right in rights if right.use == "read"]
    held = [right.name for right in reads if right.held]
    if held:
        kind = next((f" ({right.kind})" for right in reads if right.kind), "")
        yield passed("key", f"key{kind}: accepted, may read ({', '.join(held)})")
    for right in reads:
        if right.held is False:
            yield _missing(title, right)
    yield from _beyond(title, [right for right in rights if right.use != "read"])


def may_trade(rights: tuple[Right, ...]) -> bool:
    """Whether an order might be placed with the key, as far as anybody knows."""
    trading = [right for right in rights if right.use == "trade"]
    return not trading or any(right.held is not False for right in trading)


def _missing(title: str, right: Right) -> Finding:
    text = f"the key lacks the right {right.name!r}"
    if right.refusal:
        text += f" ({right.refusal})"
    if right.without:
        text += f": {right.without}"
    hint = f"give the key the right {right.name!r} on {title}'s page of API keys"
    return wrong("right", text, right.hint or hint, Exit.REFUSED)


def _beyond(title: str, rights: list[Right]) -> Iterator[Finding]:
    held = [right for right in rights if right.held]
    for use in dict.fromkeys(right.use for right in held):
        words = ", ".join(right.name for right in held if right.use == use)
        text = f"the key may {use} ({words}), which a stream does not need"
        yield warned("right", text, f"take that right away on {title}'s page of API keys")
    unknown = sorted({right.use for right in rights if right.held is None})
    if unknown:
        text = (
            f"whether the key may {' or '.join(unknown)} cannot be told: no call of {title} says it"
        )
        yield skipped("right", text, f"see that it may not on {title}'s page of API keys")
    elif rights and not held:
        yield passed("right", "key: can neither trade nor withdraw")
