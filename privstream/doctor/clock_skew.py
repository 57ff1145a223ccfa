"""How far this machine's clock is from an exchange's, and whether that does harm there.

The one rule: an exchange tells whole seconds and its answer was on its way, so that much
is no mistake of ours.
"""

from privstream.doctor.findings import Finding, passed, warned, wrong
from privstream.model.errors import Exit

NOTICED = 5.0
"""Seconds that a clock may be off without a word."""
UNSURE = 1.5
"""Seconds by which it may only seem to be ahead."""
SET_CLOCK = "set this machine's clock: sudo timedatectl set-ntp true, or sudo date -s ..."


def judge(title: str, skew_ns: int, limits: tuple[float, float] | None) -> Finding:
    """`skew_ns`: how far the exchange is ahead; `limits`: how far we may be behind and ahead."""
    ahead = -skew_ns / 1e9
    text = f"clock: {span(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'} {title}'s"
    if limits is not None:
        behind_limit, ahead_limit = limits
        over = behind_limit if -ahead > behind_limit else ahead_limit
        if -ahead > behind_limit or ahead > ahead_limit + UNSURE:
            text += f", which refuses more than {span(over)}"
            return wrong("clock", text, SET_CLOCK, Exit.REFUSED)
    if abs(ahead) > NOTICED:
        return warned("clock", text, SET_CLOCK)
    return passed("clock", f"clock: right, compared with {title}'s")


def span(seconds: float) -> str:
    """A time for a person: `14 min 59 s`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (rest, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"
