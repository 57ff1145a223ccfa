"""How far an exchange's clock is ahead of ours, by the times of its answers.

The one rule: an answer proves no more than that its time, in whole seconds, was at some moment
between our asking and our having it. One that was long on its way is no sign of a wrong clock.
"""

from privstream.model.rest import Now

SECOND_NS = 10**9


def narrowed(skew_ns: int, sent: float, began: Now, ended: Now) -> int:
    """What was thought so far, moved as far as an answer proves that it is otherwise."""
    sent_ns = int(sent) * SECOND_NS
    least, most = sent_ns - ended.wall_ns, sent_ns + SECOND_NS - began.wall_ns
    if least > most:  # our own clock was set meanwhile
        return skew_ns
    return min(max(skew_ns, least), most)
