"""PolyID itself beside us: the process of `peers/polyid_app.py`, which loads the ensemble once and waits for questions."""

import json
import os
import subprocess

from measure.graph_model import POLYID_PATH
from measure.places import LOGS, PEERS, POLYID_MODEL, on_cores, one_core, python_of

ORIGINAL = "published"
WAYS = (ORIGINAL, "direct")


class Original:
    """Asleep in a read between two questions, so it need not be frozen."""

    def __init__(self) -> None:
        LOGS.mkdir(parents=True, exist_ok=True)
        self.log = LOGS / "PolyID.log"
        command = [*on_cores(one_core()), str(python_of("polyid")), str(PEERS / "polyid_app.py"), str(POLYID_MODEL)]
        with self.log.open("wb") as log:
            self.popen = subprocess.Popen(
                command, env=os.environ | POLYID_PATH, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )

    def members(self, way: str, smiles: list[str]) -> list[list[float]]:
        """What each fold answers for each molecule."""
        return self._ask({"way": way, "smiles": smiles})["members"]

    def rate(self, way: str, smiles: list[str], seconds: float) -> float:
        """Molecules a second, one at a time, in whole passes over the list."""
        return self._ask({"way": way, "smiles": smiles, "seconds": seconds})["rate"]

    def stop(self) -> None:
        """The end of its input ends it."""
        self.popen.stdin.close()
        self.popen.wait(timeout=60)

    def _ask(self, question: dict) -> dict:
        self.popen.stdin.write(json.dumps(question) + "\n")
        self.popen.stdin.flush()
        line = self.popen.stdout.readline()
        if not line:
            raise RuntimeError(f"PolyID ended; see {self.log}")
        return json.loads(line)
