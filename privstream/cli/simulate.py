"""`privstream simulate`: serve exchanges' private protocols on loopback until Ctrl-C.

The one rule: stdout holds config lines and nothing else, since it is meant for a file.
"""

import os
import stat
from enum import StrEnum
from typing import Annotated

import typer

from privstream import simulator
from privstream.cli import completion
from privstream.cli import options as o
from privstream.cli.outside import environment_of
from privstream.model.account import Account
from privstream.model.errors import ConfigError
from privstream.outputs.base import ReaderGone
from privstream.outputs.descriptor import STDOUT, write_all

FAULT_HELP = (
    "Let something go wrong; repeatable. KIND: drop, reset, stall, mute, duplicate, reorder, lose, "
    "expire, refuse, maintenance, close, http, drip, huge, junk, swallow. WHEN: 10s, every=30s, n=100 "
    "(the 100th account frame), connect=2 (the second connection). Like close=1012@every=30s, "
    "http=429:20@10s, lose@n=100."
)


class Protocol(StrEnum):
    """Which of Kraken's protocols the printed lines choose."""

    V1 = "v1"
    V2 = "v2"


class Api(StrEnum):
    """Which of Indodax's kinds of keys the printed lines have."""

    V1 = "v1"
    V2 = "v2"


def simulate(
    context: typer.Context,
    exchanges: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[EXCHANGE]...",
            help="Default: all there are.",
            autocompletion=completion.exchange_names,
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The first exchange's port; 0 takes free ones.")
    ] = 8900,
    rate: Annotated[
        float, typer.Option(min=0.001, max=o.FASTEST, help="Order events and fills per second.")
    ] = 2.0,
    seed: Annotated[int, typer.Option(help="Another number is another account life.")] = 1,
    *,
    no_limits: Annotated[
        bool, typer.Option("--no-limits", help="Do not count REST calls against the limits.")
    ] = False,
    protocol: Annotated[
        Protocol, typer.Option(help="Kraken: which protocol the printed lines choose.")
    ] = Protocol.V2,
    api: Annotated[
        Api, typer.Option(help="Indodax: which kind of key the printed lines have.")
    ] = Api.V1,
    fault: Annotated[
        list[str] | None,
        typer.Option("--fault", metavar="KIND[=ARG]@WHEN", help=FAULT_HELP, show_default=False),
    ] = None,
    chaos: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            metavar="SECONDS",
            help="A random fault about so often, by --seed.",
        ),
    ] = None,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    debug: o.Debug = False,
) -> None:
    """Serve exchanges' private protocols on loopback, with an invented account on each."""
    from privstream.simulator.server import Simulation  # noqa: PLC0415 - its library is optional

    environment = environment_of(context, quiet=quiet, verbose=verbose, debug=debug)
    names = list(dict.fromkeys(exchanges or simulator.names()))
    served = Simulation(
        names,
        seed=seed,
        rate=o.finite("--rate", rate),
        port=port,
        limits=not no_limits,
        faults=dict.fromkeys(names, fault or []),
        chaos=None if chaos is None else o.finite("--chaos", chaos),
        tell=lambda happened: environment.console.tell(str(happened)),
    )
    try:
        served.start()
    except OSError as problem:
        raise ConfigError(
            f"cannot serve on port {port}: {problem.strerror}", "choose another with --port"
        ) from problem
    try:
        _keep_to_owner()
        for name in names:
            lines = _config_lines(served.account(name, {"protocol": protocol, "api": api}))
            write_all(STDOUT, f"{lines}\n".encode(), environment.stop.patience)
        environment.console.tell(_explanation(names))
        environment.stop.wait_while_read(STDOUT)
        environment.stop.check()
        raise ReaderGone
    finally:
        served.stop()


def _keep_to_owner() -> None:
    """Where stdout is a file, nobody else may read it: it holds credentials."""
    if stat.S_ISREG(os.fstat(STDOUT).st_mode):
        os.fchmod(STDOUT, 0o600)


def _config_lines(account: Account) -> str:
    lines = [f"[accounts.{account.name}]"]
    lines += [f'{key} = "{secret.reveal()}"' for key, secret in account.credentials.items()]
    if account.options.get("protocol") == Protocol.V1 and account.exchange == "kraken":
        lines.append('protocol = "v1"')
    lines += ["", f"[exchanges.{account.exchange}]", f'rest_url = "{account.endpoints.rest_url}"']
    lines.append(f'ws_url = "{account.endpoints.ws_url}"')
    beside = {"history_url": account.endpoints.history_url, "api_url": account.endpoints.api_url}
    lines += [f'{key} = "{url}"' for key, url in beside.items() if url is not None]
    return "\n".join([*lines, ""])


def _explanation(names: list[str]) -> str:
    return (
        f"Simulating {', '.join(names)} until Ctrl-C. Put the lines above into a file of mode "
        "0600 and point PRIVSTREAM_CONFIG at it; then `privstream watch` streams this account."
    )
