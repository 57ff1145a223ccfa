"""What the simulated Bitfinex says of its platform: restarts, resyncs, maintenance."""

from tests.simulator.bitfinex_desk import SEQ_ALL, Desk, kinds, rows


def test_every_socket_is_told_that_the_server_restarts() -> None:
    desk = Desk()
    lines = [desk.logged_in(), desk.dial()]
    desk.bitfinex.announce(20051)
    for line in lines:
        (told,) = [frame for frame in line.listen(0.25) if isinstance(frame, dict)]
        assert (told["event"], told["code"]) == ("info", 20051)
        assert not [frame for frame in line.listen(1) if isinstance(frame, dict)]
    assert desk.dial().greeting[0]["platform"] == {"status": 1}


def test_in_maintenance_nothing_is_told_and_afterwards_everything() -> None:
    desk = Desk()
    line = desk.logged_in(SEQ_ALL)
    line.listen(1)
    desk.bitfinex.announce(20060)
    assert [f["code"] for f in line.listen(5) if isinstance(f, dict)] == [20060]
    before = len(line.texts)
    assert set(kinds(line.listen(20))) <= {"hb"}
    newcomer = desk.dial()
    assert newcomer.greeting[0]["platform"] == {"status": 0}
    assert newcomer.log_in()[0]["code"] == 11000
    assert desk.error("r/wallets") == [20060, "maintenance"]
    desk.bitfinex.announce(20061)
    frames = line.listen(0.25)
    assert frames[0]["code"] == 20061
    assert len(rows(frames, "te")) > 5
    assert len(line.texts) > before
    desk.post("r/wallets")
