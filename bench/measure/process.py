"""One server from start to stop: waits until it is ready, freezes it while others have their turn, reads its memory.

A server may be many processes (Ray Serve has a dozen). Each is started in a session of its own, and whatever is in that
session is the server.
"""

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path


class Process:
    """A program in a session of its own, and all that it starts."""

    def __init__(self, command: list[str], environment: dict[str, str], directory: Path, log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self.log = log
        self.started = time.monotonic()
        with log.open("wb") as output:
            self.popen = subprocess.Popen(
                command,
                env={**os.environ, **environment},
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def members(self) -> list[int]:
        """Every process of the session."""
        return [pid for pid in _all_processes() if _session(pid) == self.popen.pid]

    def wait_until_ready(self, url: str, seconds: float = 120, pause: float = 0.005) -> float:
        """Asks until the answer is 200; gives the seconds since the start."""
        while time.monotonic() < self.started + seconds:
            if self.popen.poll() is not None:
                raise RuntimeError(f"{self.popen.args} ended with {self.popen.returncode}; see {self.log}")
            if answers(url, timeout=1):
                return time.monotonic() - self.started
            time.sleep(pause)
        raise TimeoutError(f"{url} was not ready after {seconds} s; see {self.log}")

    def freeze(self) -> None:
        """Takes the cores away from it: a server that waits for its turn must not cost the others anything."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Gives the cores back."""
        self._signal(signal.SIGCONT)

    def resident(self) -> int:
        """Memory that is in use now, in bytes, of all processes together; shared pages count in each."""
        return sum(_status(pid, "VmRSS") for pid in self.members())

    def stop(self, patience: float = 10) -> None:
        """Asks it to end, then ends what is left of it: some forget their children."""
        self.thaw()
        if self.popen.poll() is None:
            self.popen.terminate()
        if not self._is_gone_after(patience):
            self._signal(signal.SIGKILL)
            self._is_gone_after(patience)

    def _is_gone_after(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        # Reaping the first process is our part; the others are adopted.
        while self.popen.poll() is None or self.members():
            if time.monotonic() > until:
                return False
            time.sleep(0.05)
        return True

    def _signal(self, number: signal.Signals) -> None:
        for pid in self.members():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue


def answers(url: str, timeout: float) -> bool:
    """Whether the answer is 200."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def _all_processes() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


def _status(pid: int, field: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    kilobytes = (line.split()[1] for line in lines if line.startswith(field + ":"))
    return int(next(kilobytes, "0")) * 1024
