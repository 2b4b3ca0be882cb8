"""A server may be many processes: all of them freeze, thaw and end together."""

import tempfile
import time
import unittest
from pathlib import Path

from measure.process import Process


class Session(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        log = Path(self.folder.name) / "log"
        # A shell, its child, and one that has left the process group, as those of Ray do.
        self.process = Process(["bash", "-mc", "sleep 60 & sleep 61"], {}, Path(self.folder.name), log)
        self.until(lambda: len(self.process.members()) == 3)

    def tearDown(self) -> None:
        self.process.stop(patience=0.5)
        self.folder.cleanup()

    def test_every_process_is_frozen_and_thawed(self) -> None:
        self.process.freeze()
        self.until(lambda: self.states() == {"T"})
        self.process.thaw()
        self.until(lambda: self.states() == {"S"})

    def test_nothing_is_left_after_the_stop_even_when_it_was_frozen(self) -> None:
        self.process.freeze()
        self.process.stop(patience=0.5)
        self.until(lambda: not self.process.members())

    def states(self) -> set[str]:
        """The letters that `ps` shows."""
        return {Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] for pid in self.process.members()}

    def until(self, condition: object) -> None:
        """Waits for it, but not for ever."""
        end = time.monotonic() + 5
        while not condition():
            self.assertLess(time.monotonic(), end, "it did not come true")
            time.sleep(0.01)


if __name__ == "__main__":
    unittest.main()
