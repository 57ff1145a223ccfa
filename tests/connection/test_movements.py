"""What moved while something was read: enough is remembered, and no more than that."""

from privstream.connection.account.merging import MANY, Movements
from privstream.model.reports import BalanceReport, OrderReport
from tests.fake_clock import FakeClock


def order(number: int) -> OrderReport:
    return OrderReport(f"O{number}", {})


def test_what_was_told_since_an_answer_was_asked_for_makes_that_old() -> None:
    clock = FakeClock()
    movements = Movements(clock)
    asked = clock.now().monotonic
    movements.watch(asked)
    clock.advance(1.0)
    movements.note(order(1))
    movements.note(BalanceReport("BTC", "XBT"))
    assert movements.since(asked, order(1))
    assert movements.since(asked, BalanceReport("BTC", "XXBT", wallet="spot"))
    assert not movements.since(asked, order(2))
    assert not movements.since(clock.now().monotonic, order(1))


def test_a_reading_that_never_ends_does_not_remember_for_ever() -> None:
    clock = FakeClock()
    movements = Movements(clock)
    movements.watch(clock.now().monotonic)
    for number in range(10 * MANY):
        clock.advance(0.01)
        movements.note(order(number))
        if not number % 100:
            movements.watch(clock.now().monotonic - 5.0)
    assert len(movements._told) <= 2 * MANY
    assert movements.since(clock.now().monotonic - 4.0, order(10 * MANY - 1))
    movements.watch(None)
    assert not movements.is_watched
    assert not movements._told
