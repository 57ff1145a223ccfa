"""The server half of Sixtex, the invented exchange."""

import json
from collections.abc import Iterable, Iterator, Mapping

from privstream.model.account import Account, Endpoints, Secret
from privstream.model.rest import Now
from privstream.simulator.base import (
    Answer,
    Close,
    Connection,
    Out,
    Request,
    SimulatedExchange,
    Text,
)


class SixtexSocket(Connection):
    """One socket: a fill at every tick."""

    def __init__(self, fills: list[dict[str, str]]) -> None:
        self._fills = fills
        self._is_in = False

    def opened(self, now: Now) -> Iterable[Out]:  # noqa: ARG002 - it waits for the key
        return ()

    def received(self, text: str, now: Now) -> Iterable[Out]:  # noqa: ARG002
        self._is_in = json.loads(text) == {"key": "sixtex-key"}
        return (Text('{"hello":true}') if self._is_in else Close(1008, "no"),)

    def tick(self, now: Now) -> Iterator[Out]:  # noqa: ARG002
        if self._is_in:
            names = {"fill": str(len(self._fills) + 1), "order": "1", "pair": "BTC/EUR"}
            fill = {**names, "side": "buy", "price": "50000.10", "size": "0.010"}
            self._fills.append(fill)
            yield Text(json.dumps(fill))


class SimulatedSixtex(SimulatedExchange):
    """Sixtex with one account on it."""

    name = "sixtex"

    def __init__(self, *, seed: int, rate: float, limits: bool = True) -> None:
        del seed, rate, limits  # nothing of that matters here
        self._fills: list[dict[str, str]] = []

    def account(self, base_url: str, options: Mapping[str, str]) -> Account:
        secrets = {"api_key": Secret("sixtex-key"), "api_secret": Secret("none")}
        endpoints = Endpoints(base_url, base_url.replace("http", "ws", 1) + "/")
        return Account("sixtex", "sixtex", secrets, endpoints, options)

    def request(self, request: Request, now: Now) -> Answer:  # noqa: ARG002
        if request.headers.get("key") != "sixtex-key":
            return Answer(403, b"{}")
        return Answer(200, json.dumps(self._fills).encode())

    def connect(self, handshake: Request, now: Now) -> Connection | Answer:  # noqa: ARG002
        return SixtexSocket(self._fills)


SIMULATED = SimulatedSixtex
