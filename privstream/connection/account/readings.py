"""What readings over REST brought, put together: complete only where none of them lacks anything."""

from collections.abc import Collection, Sequence

from privstream.connection.rest.job import Job
from privstream.model.errors import Refused, Unreachable
from privstream.model.reports import AnyReport, Backfill, Fill, Listed, OrderReport
from privstream.model.times import to_nanos


def together(found: Sequence[Backfill]) -> Backfill:
    """Several readings as one."""
    details = [one.detail for one in found if one.detail]
    return Backfill(
        tuple(report for one in found for report in one.reports),
        complete=all(one.complete for one in found),
        detail="; ".join(details) or None,
        problems=tuple(problem for one in found for problem in one.problems),
        lost=frozenset().union(*(one.lost for one in found)),
        is_final=all(one.is_final for one in found),
    )


def outcome(job: Job[Backfill]) -> Backfill:
    """What a reading brought; one that failed as a whole brought nothing, and says why."""
    try:
        return job.result()
    except (Refused, Unreachable) as problem:
        hint = f" ({problem.hint})" if problem.hint else ""
        detail = f"could not read back: {problem.message}{hint}"
        return Backfill((), complete=False, detail=detail, problems=(problem,))


def vanished(
    found: Backfill, suspects: Collection[str], *, is_listed: bool
) -> tuple[OrderReport, ...]:
    """Orders held as open that neither the list of those that stand nor anything else knows.

    They are over, and nobody tells how. `is_listed`: the stream's own list left them out.
    """
    if found.problems or not (is_listed or Listed("orders") in found.reports):
        return ()
    told = {report.order_id for report in found.reports if isinstance(report, OrderReport)}
    lost = sorted({*suspects} - told)
    return tuple(OrderReport(name, {"status": "unknown"}, source="rest") for name in lost)


def is_later(until_ns: int, report: AnyReport | Listed) -> bool:
    """It is a fill or an order's state from after that moment, by the exchange's clock."""
    if isinstance(report, Fill):
        time = report.time
    elif isinstance(report, OrderReport):
        time = report.time or report.fields.get("created")
    else:
        return False
    return time is not None and to_nanos(time) > until_ns
