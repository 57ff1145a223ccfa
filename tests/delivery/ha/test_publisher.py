"""Only one host writes an account's subjects; each event is there once, with what is known of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privstream.delivery.ha import publisher as publishing
from privstream.delivery.ha import word
from privstream.delivery.ha.ports import Message, Stored
from privstream.delivery.ha.publisher import Fenced
from privstream.memory.journal import Note
from privstream.model.errors import ConfigError, OutputFailed
from tests.delivery.ha.shared import NS, SUBJECT, Fault, Holder, Shared, notes, run

FAULTS: list[Fault] = ["away", "lost", "unanswered", "slow", "late"]


async def opened(shared: Shared, host: str = "a") -> Holder:
    holder = Holder(shared)
    await holder.open(host)
    return holder


def test_events_lie_there_with_their_word_and_the_next_host_knows_them() -> None:
    async def story() -> None:
        shared = Shared()
        first = await opened(shared)
        assert first.publisher.memory.is_new
        await first.tell("x", "y")
        await first.tell("z", whole_ns=NS + 5)
        second = await opened(shared, "b")
        assert second.known() == ["x", "y", "z"]
        assert second.publisher.memory.resume_from_ns == second.publisher.whole_ns == NS + 5
        assert second.publisher.epoch == 2
        assert shared.lines() == [b"x", b"y", b"z"]

    run(story())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_batch_in_doubt_is_there_once(fault: Fault) -> None:
    async def story() -> None:
        shared = Shared()
        holder = await opened(shared)
        shared.faults = [fault]
        await holder.tell("x")
        await holder.tell("y")
        assert shared.lines() == [b"x", b"y"]
        assert (await opened(shared, "b")).known() == ["x", "y"]

    run(story())


@pytest.mark.parametrize("fault", FAULTS)
def test_the_first_word_in_doubt_is_there_once(fault: Fault) -> None:
    async def story() -> None:
        shared = Shared()
        shared.faults = [fault]
        await (await opened(shared)).tell("x")
        assert len(shared.words()) == 2
        assert shared.lines() == [b"x"]

    run(story())


def test_a_woken_holder_with_a_batch_in_hand_is_refused() -> None:
    async def story() -> None:
        shared = Shared()
        first = await opened(shared)
        await first.tell("x")
        second = await opened(shared, "b")
        with pytest.raises(Fenced, match="b streams it"):
            await first.tell("y")
        await second.tell("y")
        assert shared.lines() == [b"x", b"y"]

    run(story())


def test_what_an_old_holder_had_in_while_the_next_one_read_is_known_to_that() -> None:
    async def story() -> None:
        shared = Shared()
        first, second = await opened(shared), Holder(shared)
        ask, asked = shared.last, list[str]()

        async def last(subject: str) -> Stored | None:
            asked.append(subject)
            found = await ask(subject)
            if len(asked) == 2:
                await first.tell("x")
            return found

        shared.last = last  # type: ignore[method-assign]  # a moment that no call shows
        await second.open("b")
        assert second.known() == ["x"]
        with pytest.raises(Fenced):
            await first.tell("y")

    run(story())


def test_nothing_is_published_without_the_lease() -> None:
    async def story() -> None:
        shared = Shared()
        holder = await opened(shared)
        holder.holds = False
        with pytest.raises(Fenced, match="its lease is over"):
            await holder.tell("x")
        with pytest.raises(Fenced):
            await holder.open("a")
        assert shared.lines() == []

    run(story())


def test_an_epoch_rises_also_where_the_leases_begin_anew() -> None:
    async def story() -> None:
        shared = Shared()
        await Holder(shared).open("a", 41)
        second = Holder(shared)
        await second.open("b", 1)
        assert second.publisher.epoch == 42

    run(story())


def test_what_changed_replaces_and_what_is_forgotten_goes() -> None:
    async def story() -> None:
        shared = Shared()
        holder = await opened(shared)
        await holder.tell("x", "y")
        again = Note("trade", "x", b"later", None, lasting=False)
        gone = Note("trade", "y", None, None, lasting=False)
        await holder.publisher.publish([], [again, gone, *notes("z")], NS)
        kept = list((await opened(shared, "b")).publisher.memory.notes())
        assert [(key, value[:5]) for _, key, value in kept] == [("x", b"later"), ("z", b"2026-")]

    run(story())


def test_a_full_word_spares_the_next_host_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "FULL_AFTER", 3)

    async def story() -> None:
        shared = Shared()
        holder = await opened(shared)
        for number in range(8):
            await holder.tell(f"{number}")
            await holder.publisher.tidy()
        assert len(shared.words()) == 3, "the last full one, and two after it"
        assert (await opened(shared, "b")).known() == list("01234567")

    run(story())


def test_a_large_word_is_several_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word, "PART", 200)

    async def story() -> None:
        shared = Shared()
        holder = await opened(shared)
        await holder.tell(*"abcdefgh")
        assert len(shared.words()) > 3
        second = await opened(shared, "b")
        third = await opened(shared, "c")
        assert second.known() == third.known() == list("abcdefgh")
        assert third.publisher.memory.is_complete
        await third.tell("i")
        assert (await opened(shared, "d")).known() == list("abcdefghi")

    run(story())


def test_notes_that_nobody_needs_any_more_leave_with_a_full_word() -> None:
    async def story() -> None:
        shared = Shared()
        holder = await opened(shared)
        await holder.tell("old")
        lasting = Note("symbol", "XBT/EUR", b"", None, lasting=True)
        await holder.publisher.publish([], [lasting], NS + 3 * 24 * 3600 * 10**9)
        assert (await opened(shared, "b")).known() == ["XBT/EUR"]

    run(story())


def test_words_that_the_stream_has_thrown_away_are_missed() -> None:
    async def story() -> None:
        shared = Shared()
        holder = await opened(shared)
        await holder.tell("x")
        await holder.tell("y")
        await shared.purge(f"{SUBJECT}.word", shared.words()[-1].sequence)
        second = await opened(shared, "b")
        assert not second.publisher.memory.is_complete
        assert second.known() == ["y"]
        assert second.publisher.memory.resume_from_ns == NS

    run(story())


def test_a_word_of_a_newer_privstream_is_left_alone() -> None:
    async def story() -> None:
        shared = Shared()
        await shared.publish([Message(f"{SUBJECT}.word", b"\x98\x02")], f"{SUBJECT}.>", 0)
        with pytest.raises(ConfigError, match="is damaged"):
            await opened(shared)

    run(story())


def test_a_server_that_takes_little_gets_smaller_words() -> None:
    async def story() -> None:
        shared = Shared()
        shared.largest = 4096
        holder = await opened(shared)
        await holder.tell(*(f"{number}" for number in range(100)))
        assert all(len(one.body) < 3072 for one in shared.stored)
        assert len((await opened(shared, "b")).known()) == 100
        large = Note("order", "o", b"x" * 5000, None, lasting=True)
        with pytest.raises(OutputFailed, match="larger than the server takes"):
            await holder.publisher.publish([], [large], NS)

    run(story())


def test_what_is_refused_again_and_again_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        shared, said = Shared(), list[str | None]()
        holder = await opened(shared)
        monkeypatch.setattr(holder.publisher, "_trouble", said.append)
        shared.faults = ["lost", "unanswered"]
        await holder.tell("x")
        assert said == []
        shared.faults = ["lost"] * 5
        await holder.tell("y")
        assert said == ["no answer", None]

    run(story())


@given(
    faults=st.lists(st.sampled_from([None, None, *FAULTS]), max_size=30),
    deeds=st.lists(st.sampled_from(["tell", "tell", "open", "wake"]), max_size=25),
)
def test_whatever_goes_wrong_the_stream_and_its_words_agree(
    faults: list[Fault | None], deeds: list[str]
) -> None:
    """Hosts take over from each other, wake up with something in hand, answers get lost."""

    async def story() -> None:
        shared = Shared()
        holders = [await opened(shared, "0")]
        shared.faults = list(faults)
        told = 0
        for number, deed in enumerate(deeds, 1):
            if deed == "open":
                holders.append(await opened(shared, f"{number}"))
                continue
            told += 1
            if deed == "tell":
                await holders[-1].tell(f"{told}")
            elif len(holders) > 1:
                with pytest.raises(Fenced):
                    await holders[-2].tell(f"{told}")
        lines = [line.decode() for line in shared.lines()]
        assert lines == sorted(set(lines), key=int)
        shared.faults = []
        assert (await opened(shared, "end")).known() == lines

    run(story())
