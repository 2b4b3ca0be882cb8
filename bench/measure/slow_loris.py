"""A thousand clients that never finish their request, one byte a second each: the others must not notice."""

import resource
import selectors
import socket
import threading
import time
import urllib.parse
from dataclasses import dataclass, field

from measure import bodies, load
from measure.servers import ours

SLOW = 1000
GOOD = 8
HEAD = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nX-Slow: "


@dataclass
class SlowLoris:
    """p99 of the good clients in milliseconds, round by round, and how many slow ones were connected on average."""

    without: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)
    connected: list[int] = field(default_factory=list)


def run(rounds: int, seconds: float) -> SlowLoris:
    """In turns, with and without them, on one server."""
    _allow_files(SLOW + 200)
    found = SlowLoris()
    running = ours().start()
    file = bodies.path(running.server.form, 1)
    place = urllib.parse.urlsplit(running.url)
    try:
        load.closed(running.url, file, GOOD, 2)
        for _ in range(rounds):
            found.without.append(load.closed(running.url, file, GOOD, seconds).p99)
            with _Crowd(place.hostname or "", place.port or 0) as crowd:
                found.beside.append(load.closed(running.url, file, GOOD, seconds).p99)
                found.connected.append(crowd.connected())
    finally:
        running.process.stop()
    return found


class _Crowd:
    """Slow clients. One that the server throws out comes back at once."""

    def __init__(self, host: str, port: int) -> None:
        self.address = (host, port)
        self.over = threading.Event()
        self.selector = selectors.DefaultSelector()
        self.thread = threading.Thread(target=self._drip)

    def __enter__(self) -> "_Crowd":
        for _ in range(SLOW):
            self._connect()
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()

    def connected(self) -> int:
        """How many there are now."""
        return len(self.selector.get_map())

    def _connect(self) -> None:
        slow = socket.create_connection(self.address, timeout=5)
        slow.sendall(HEAD)
        slow.setblocking(False)
        self.selector.register(slow, selectors.EVENT_READ)

    def _drip(self) -> None:
        while not self.over.is_set():
            began = time.monotonic()
            for key in list(self.selector.get_map().values()):
                try:
                    key.fileobj.send(b"a")
                except BlockingIOError:
                    continue
                except OSError:
                    self._replace(key)
            # An answer can only be the end: 408, or nothing at all.
            for key, _ in self.selector.select(timeout=0):
                self._replace(key)
            self.over.wait(max(0.0, 1 - (time.monotonic() - began)))

    def _replace(self, key: selectors.SelectorKey) -> None:
        self.selector.unregister(key.fileobj)
        key.fileobj.close()
        try:
            self._connect()
        except OSError:
            return


def _allow_files(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
