"""A flow of REST calls that is polled: when it asks again, when it gives up, how it is cut off."""

import pytest
from msgspec.structs import replace

from privstream.connection.rest.job import AT_ONCE, PATIENT, Job, Manner
from privstream.exchanges.kit.reading_back import Found, Part, in_parts
from privstream.model.errors import Interrupted, Refused, Unavailable, Unreachable
from privstream.model.reports import Backfill, NoticeReport
from privstream.model.rest import Call, HttpRequest, HttpResponse, RestFlow, Stamp
from tests.fake_clock import FakeClock
from tests.rest_play import answer

PAGE = NoticeReport(level="info", code="page", text="a page")


class Desk:
    """Answers in the order of its list; an error is no answer at all."""

    def __init__(self, *answers: HttpResponse | Unreachable | Refused) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.abandoned = 0
        self.budget = 0.0
        self.spare = 0.0
        self.is_mute = False

    def wait_for(self, call: Call, spare: float) -> float:
        del call
        self.spare = spare
        return self.budget

    def send(self, call: Call, limit: float | None) -> "Desk":
        del limit
        self.asked.append(call.name)
        return self

    def is_over(self) -> bool:
        return not self.is_mute

    def result(self) -> HttpResponse:
        found = self.answers.pop(0)
        if isinstance(found, HttpResponse):
            return found
        raise found

    def abandon(self) -> None:
        self.abandoned += 1


def call(name: str) -> Call:
    def build(stamp: Stamp) -> HttpRequest:
        del stamp
        return HttpRequest("GET", f"/{name}")

    return Call(build, name)


def pages(found: Found) -> RestFlow[None]:
    """Three pages; an answer of 503 is asked for again."""
    for number in range(3):
        asked = call(f"page {number}")
        while (response := (yield asked)).status != 200:
            asked = replace(asked, after=Unavailable("busy", floor=1.0))
        found.take([replace(PAGE, text=response.body.decode())])


def reading() -> RestFlow[Backfill]:
    return in_parts([Part("fills", pages), Part("orders", pages)])


def finish(job: Job[Backfill], clock: FakeClock) -> Backfill:
    while not job.poll():
        clock.advance(job.patience)
    return job.result()


OK, BUSY = answer("row"), answer("", 503)


def test_a_passing_answer_is_asked_for_again_where_the_flow_stands() -> None:
    desk, clock = Desk(OK, BUSY, BUSY, *[OK] * 5), FakeClock()
    begun = clock.now().monotonic
    found = finish(Job(reading(), desk, clock, manner=PATIENT), clock)
    assert found.complete
    assert desk.asked == [f"page {n}" for n in (0, 1, 1, 1, 2, 0, 1, 2)]
    assert clock.now().monotonic - begun == 2.0 + 4.0


def test_no_answer_at_all_is_as_good_a_reason_to_ask_again() -> None:
    desk, clock = Desk(Unreachable("reset"), *[OK] * 6), FakeClock()
    assert finish(Job(reading(), desk, clock, manner=PATIENT), clock).complete
    assert desk.asked[:2] == ["page 0", "page 0"]


def test_a_part_that_stays_out_of_reach_costs_neither_its_pages_nor_the_next_part() -> None:
    desk, clock = Desk(OK, *[BUSY] * 5, *[OK] * 3), FakeClock()
    found = finish(Job(reading(), desk, clock, manner=PATIENT), clock)
    assert not found.complete
    assert found.retryable
    assert found.detail == "fills: busy"
    assert len(found.reports) == 1 + 3


def test_where_nothing_is_answered_the_next_part_is_asked_for_once() -> None:
    """Else a read-back of many parts would keep its gap from being told for a quarter of an hour."""
    away = Unreachable("did not answer")
    desk, clock = Desk(*[away] * 6), FakeClock()
    found = finish(Job(reading(), desk, clock, manner=PATIENT), clock)
    assert desk.asked == ["page 0"] * 6
    assert found.detail == "fills, orders: did not answer"


def test_how_far_it_has_read_is_the_time_of_the_last_fact() -> None:
    desk, clock = Desk(OK, OK), FakeClock()
    job = Job(in_parts([Part("fills", dated)]), desk, clock, manner=PATIENT)
    desk.answers.append(BUSY)
    assert not job.poll()
    assert (job.answers, job.reached) == (3, "2026-11-20T14:52:00.000000Z")


def dated(found: Found) -> RestFlow[None]:
    for number in range(3):
        asked = call(f"page {number}")
        if (yield asked).status != 200:
            yield replace(asked, after=Unavailable("busy"))
        found.take([replace(PAGE, time=f"2026-11-20T14:5{number + 1}:00.000000Z")])


def test_who_waits_for_it_is_told_at_once() -> None:
    desk, clock = Desk(BUSY, *[OK] * 3), FakeClock()
    job = Job(reading(), desk, clock, manner=AT_ONCE)
    assert job.poll()
    assert job.result().detail == "fills: busy"


def test_a_refusal_is_never_asked_for_again() -> None:
    desk, clock = Desk(Refused("no"), *[OK] * 3), FakeClock()
    found = finish(Job(reading(), desk, clock, manner=PATIENT), clock)
    assert found.detail == "fills: no"
    assert desk.asked == ["page 0", "page 0", "page 1", "page 2"]


def test_what_was_read_before_it_was_cut_off_is_kept() -> None:
    desk, clock = Desk(OK), FakeClock()
    job = Job(reading(), desk, clock, manner=PATIENT)
    desk.answers.append(BUSY)
    job.poll()
    desk.is_mute = True
    clock.advance(5.0)
    assert not job.poll()
    job.interrupt(Interrupted("the connection is gone"))
    assert job.is_over
    assert desk.abandoned == 1
    found = job.result()
    assert len(found.reports) == 1
    assert not found.complete
    assert "the connection is gone" in (found.detail or "")


def test_a_flow_that_was_not_begun_ends_with_the_interruption() -> None:
    job = Job(reading(), Desk(), FakeClock())
    job.interrupt(Interrupted("stopped"))
    with pytest.raises(Interrupted):
        job.result()


def test_while_the_budget_is_spent_nothing_is_sent_and_nobody_waits() -> None:
    desk, clock = Desk(*[OK] * 6), FakeClock()
    desk.budget = 12.0
    job = Job(reading(), desk, clock, manner=Manner(spare=0.4))
    assert not job.poll()
    assert (desk.asked, job.patience, desk.spare) == ([], 12.0, 0.4)
    desk.budget = 0.0
    assert not job.poll()
    clock.advance(12.0)
    assert job.poll()


def test_an_answer_of_another_shape_is_an_outage_of_theirs() -> None:
    def flow() -> RestFlow[str]:
        response = yield call("Thing")
        names: dict[int, str] = {}
        return names[response.status]

    job = Job(flow(), Desk(OK), FakeClock())
    assert job.poll()
    with pytest.raises(
        Unavailable,
        match=r"the answer to Thing cannot be read: something in it is not as documented$",
    ):
        job.result()
