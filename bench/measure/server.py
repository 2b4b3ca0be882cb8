"""A server that can be started, and one that runs."""

import os
import socket
from dataclasses import dataclass, field
from pathlib import Path

from measure.forms import PLAIN, Form
from measure.places import BUNDLE, LOGS, PEERS, on_cores, server_cores
from measure.process import Process

COMMON = {"BUNDLE": str(BUNDLE), "PORT": "{port}", "PYTHONPATH": str(PEERS), "PYTHONDONTWRITEBYTECODE": "1"}


@dataclass(frozen=True)
class Server:
    """A server that can be started: the places of its ports are named in braces, as `{port}`."""

    name: str
    command: tuple[str, ...]
    ready: str
    environment: dict[str, str] = field(default_factory=dict)
    path: str = "/predict"
    form: Form = PLAIN
    directory: Path = PEERS
    live: str = ""
    cores: tuple[int, ...] = field(default_factory=lambda: tuple(server_cores()))
    fresh: bool = False
    """Whether it is started anew for every cell, because what it has learnt from one load is wrong for the next."""

    def start(self) -> "Running":
        """Starts it on free ports and waits until it is ready."""
        return Running(self, *self.launch())

    def launch(self) -> tuple[Process, str, str, float]:
        """The process, where it is asked, where its liveness is, and the seconds until it was ready."""
        ports = {name: str(_free_port()) for name in ("port", "ops", "grpc", "metrics")}
        environment = {name: value.format(**ports) for name, value in (COMMON | self.environment).items()}
        command = [*on_cores(self.cores), *(word.format(**ports) for word in self.command)]
        process = Process(command, environment, self.directory, LOGS / f"{self.name}.log")
        try:
            seconds = process.wait_until_ready(self.ready.format(**ports))
        except BaseException:
            process.stop()
            raise
        return process, f"http://127.0.0.1:{ports['port']}{self.path}", self.live.format(**ports), seconds


@dataclass
class Running:
    """A server that answers."""

    server: Server
    process: Process
    url: str
    live: str
    seconds_to_ready: float

    def begin_turn(self) -> None:
        """Awake, and new where that is wanted."""
        if self.server.fresh:
            self.process.stop()
            self.process, self.url, self.live, _ = self.server.launch()
        else:
            self.process.thaw()


def _free_port() -> int:
    """Below the kernel's own range, so that a connection of the load generator never takes it before the server does."""
    while True:
        port = 10_000 + int.from_bytes(os.urandom(2)) % 20_000
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
