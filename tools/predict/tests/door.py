"""Stands before a server and lets questions through, or does with them what a test says."""

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

Answer = tuple[int, dict[str, str], dict]


@dataclass
class Door:
    """`rule` gets the number of a question, from 0 on, and its molecules; without its answer the server's is given."""

    server: str
    rule: Callable[[int, list[str]], Answer | None] = lambda _number, _smiles: None
    url: str = ""
    asked: list[tuple[float, list[str]]] = field(default_factory=list)
    """When, and for which molecules."""

    def answer(self, body: bytes) -> Answer:
        """To one question."""
        smiles = json.loads(body)["smiles"]
        self.asked.append((time.monotonic(), smiles))
        return self.rule(len(self.asked) - 1, smiles) or self.through(smiles)

    def through(self, smiles: list[str]) -> Answer:
        """What the server says."""
        body = json.dumps({"smiles": smiles}).encode()
        headers = {"content-type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(f"http://{self.server}/predict", body, headers)) as answer:
            return answer.status, {}, json.load(answer)


@contextmanager
def opened(server: str) -> Iterator[Door]:
    """On a port of its own."""
    door = Door(server)

    class Handler(BaseHTTPRequestHandler):
        """One question."""

        protocol_version = "HTTP/1.1"

        def do_POST(self):
            status, headers, answer = door.answer(self.rfile.read(int(self.headers["content-length"])))
            body = json.dumps(answer).encode()
            self.send_response(status)
            for name, value in (headers | {"content-length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_what):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        door.url = f"http://127.0.0.1:{http.server_port}"
        Thread(target=http.serve_forever, daemon=True).start()
        yield door
        http.shutdown()
