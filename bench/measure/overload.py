"""Three times what the server can do. It must go on doing what it can, refuse the rest in the right words, stay alive in
the eyes of Kubernetes, and not grow."""

import http.client
import threading
import time
import urllib.parse
from dataclasses import dataclass, field

from measure import bodies, load
from measure.ask import constant_rate
from measure.process import answers
from measure.server import Running
from measure.servers import ours

# Lists, because single molecules would need more connections than the queue of 1024 has places. The peak is taken with as
# many as just fit: requests that are refused and sent again cost something, and would make the peak look lower.
ITEMS = 32
PEAK_CONNECTIONS = 24
TIMES = 3
ASKERS = 4
# The queue takes some seconds' worth before the first request is refused.
LEAST_SECONDS = 5.0


@dataclass
class Overload:
    """What was seen, with one entry a round where there is a list."""

    peak: list[float] = field(default_factory=list)
    goodput: list[float] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    refusals_seen: int = 0
    refusals_without_retry_after: int = 0
    liveness_asked: int = 0
    liveness_failed: int = 0
    resident_before: int = 0
    resident_most: int = 0
    resident_after: int = 0

    def count(self, status: str, times: int = 1) -> None:
        """Adds answers with a status; a word stands for what has none."""
        self.statuses[status] = self.statuses.get(status, 0) + times


def run(rounds: int, seconds: float) -> Overload:
    """In turns: its peak, then three times that."""
    found = Overload()
    running = ours().start()
    file = bodies.path(running.server.form, ITEMS)
    try:
        load.closed(running.url, file, PEAK_CONNECTIONS, 2)
        found.resident_before = found.resident_most = running.process.resident()
        for _ in range(rounds):
            peak = load.closed(running.url, file, PEAK_CONNECTIONS, seconds)
            with _Watch(running, found) as watch:
                flood = constant_rate(running.url, file, TIMES * peak.rate, max(seconds, LEAST_SECONDS))
            found.peak.append(peak.rate * ITEMS)
            found.goodput.append((flood.answered + watch.answered) / flood.seconds * ITEMS)
            for status, times in (flood.statuses | {"no answer": flood.unanswered}).items():
                found.count(status, times)
        time.sleep(1)
        found.resident_after = running.process.resident()
    finally:
        running.process.stop()
    return found


class _Watch:
    """Beside the flood: the probe of Kubernetes, and clients that look at every header."""

    def __init__(self, running: Running, found: Overload) -> None:
        self.running, self.found, self.over = running, found, threading.Event()
        # What they get is a part of what the server does.
        self.answered = 0
        self.body = bodies.path(running.server.form, ITEMS).read_text().splitlines()[0]
        self.threads = [threading.Thread(target=self._probe), *(threading.Thread(target=self._ask) for _ in range(ASKERS))]

    def __enter__(self) -> "_Watch":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()

    def _probe(self) -> None:
        while not self.over.wait(0.1):
            self.found.liveness_asked += 1
            # One second is what Kubernetes gives a probe when nobody says otherwise.
            self.found.liveness_failed += not answers(self.running.live, timeout=1)
            self.found.resident_most = max(self.found.resident_most, self.running.process.resident())

    def _ask(self) -> None:
        place = urllib.parse.urlsplit(self.running.url)
        while not self.over.wait(0.05):
            connection = http.client.HTTPConnection(place.netloc, timeout=10)
            try:
                connection.request("POST", place.path, self.body, {"content-type": "application/json"})
                answer = connection.getresponse()
                answer.read()
            except OSError:
                self.found.count("no answer")
                continue
            finally:
                connection.close()
            self.answered += answer.status == 200
            if answer.status in (429, 503):
                self.found.refusals_seen += 1
                self.found.refusals_without_retry_after += not (answer.getheader("retry-after") or "").isdigit()
