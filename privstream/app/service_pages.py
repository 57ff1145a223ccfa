"""What a service shows to who watches it: /metrics, /healthz and /livez."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from typing import TYPE_CHECKING

from msgspec.json import encode

from privstream.app.environment import Environment
from privstream.app.service_health import Health, Reason
from privstream.app.service_threads import Threads
from privstream.model.errors import ConfigError
from privstream.settings.endpoints import is_loopback
from privstream.settings.service_section import Address

if TYPE_CHECKING:
    from privstream.app.service_metrics import Metrics
    from privstream.outputs.page_server import Page

JSON = "application/json"
WELL, NOT_WELL = 200, 503


def shown(
    environment: Environment,
    address: Address | None,
    health: Health,
    threads: Threads,
    metrics: "Callable[[], Metrics]",
) -> AbstractContextManager[object]:
    """The pages are there while the block runs. Raises ConfigError where they cannot be."""
    if address is None:
        return nullcontext()
    from privstream.outputs.page_server import PageServer  # noqa: PLC0415 - only where it is wanted

    numbers = metrics()
    pages = {
        "/metrics": lambda: _metrics(numbers),
        "/healthz": lambda: _verdict([*health.reasons(), *_stuck(threads)]),
        "/livez": lambda: _verdict(_stuck(threads)),
    }
    try:
        server = PageServer(address.host, address.port, pages)
    except OSError as problem:
        raise ConfigError(
            f"cannot listen on {address}: {problem.strerror}", "choose another in [service] metrics"
        ) from problem
    server.start()
    there = Address(address.host, server.port)
    open_to_all = (
        "" if is_loopback(address.host) else "; whoever reaches it can read names and counts"
    )
    environment.console.say(f"metrics and health on http://{there}{open_to_all}")
    return closing(server)


def _metrics(numbers: "Metrics") -> "Page":
    from privstream.app.service_metrics import KIND  # noqa: PLC0415 - it was loaded before
    from privstream.outputs.page_server import Page  # noqa: PLC0415

    return Page(WELL, KIND, numbers.text())


def _verdict(reasons: Sequence[Reason]) -> "Page":
    from privstream.outputs.page_server import Page  # noqa: PLC0415 - it was loaded before

    body = encode({"ok": not reasons, "reasons": reasons})
    return Page(NOT_WELL if reasons else WELL, JSON, body + b"\n")


def _stuck(threads: Threads) -> list[Reason]:
    return [Reason("stuck", f"the thread of {name} does not turn") for name in threads.stuck()]
