"""The benchmarks run and print their tables; no test looks at a time."""

import pytest

from tests.benchmarks import receive, startup


def test_the_receive_benchmark_measures_every_client(capsys: pytest.CaptureFixture[str]) -> None:
    receive.main(count=50, times=1)
    printed = capsys.readouterr().out
    assert "privstream, trades" in printed
    assert "websocket-client" in printed


def test_the_start_up_benchmark_measures_every_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    startup.main(times=1)
    assert "first event, token included" in capsys.readouterr().out
