"""Makes the ensemble of the part `graphs` from nothing, by the tools that anybody would use: PolyID trains it and says what it
answers, `chemmodel-export` writes the bundle. So both sides have the same weights.

The shape is the published one (128 features, 12 messages), with three folds. Ten epochs on 23 oligomers: what it says of a polymer is
worthless, and how fast it says it does not depend on that. After fewer epochs its numbers are so large that single precision loses the digits that are compared.
"""

import os
import shutil
import subprocess

from measure.bodies import molecules
from measure.forms import PLAIN
from measure.places import FEATURE_LISTS, GRAPH_BUNDLE, GRAPH_MOLECULES, GRAPH_REQUESTS
from measure.places import PEERS, POLYID, POLYID_MODEL, POLYID_TOOLS, REPOSITORY, python_of
from measure.prepare import environment

FOLDS, EPOCHS = 3, 10
SMALL = 200


def prepare() -> None:
    """Environments, ensemble, bundle, molecules."""
    environment("polyid", POLYID_TOOLS / "requirements.txt")
    # The export is the last step, and its folder appears whole.
    if not GRAPH_BUNDLE.exists():
        shutil.rmtree(POLYID, ignore_errors=True)
        GRAPH_BUNDLE.parent.mkdir(parents=True)
        _make()
    oligomers = GRAPH_MOLECULES.read_text().split()
    FEATURE_LISTS["small molecules"].write_text("".join(f"{smiles}\n" for smiles in molecules()[:SMALL]))
    GRAPH_REQUESTS.write_text("".join(PLAIN.body([smiles]) + "\n" for smiles in oligomers))


def _make() -> None:
    environment("exporter", REPOSITORY / "tools" / "pyproject.toml", "--editable", str(REPOSITORY / "tools"))
    print("oligomers", flush=True)
    of_polyid(str(PEERS / "polyid_molecules.py"), str(POLYID))
    print(f"a PolyID ensemble: {FOLDS} folds, {EPOCHS} epochs", flush=True)
    table, answers = POLYID / "table.csv", POLYID / "answers.json"
    trained = ("--property", "oxygen", "--folds", str(FOLDS), "--epochs", str(EPOCHS), "--out", str(POLYID_MODEL))
    of_polyid(str(POLYID_TOOLS / "train.py"), "--data", str(table), *trained)
    asked = ("--ask", str(POLYID / "golden.smi"), "--out", str(answers))
    of_polyid(str(POLYID_TOOLS / "answer.py"), "--model", str(POLYID_MODEL), "--data", str(table), *asked)
    export = [str(python_of("exporter").parent / "chemmodel-export"), "polyid", "--model", str(POLYID_MODEL), "--answers", str(answers)]
    export += ["--out", str(GRAPH_BUNDLE), "--name", "polyid", "--output", "oxygen:share of oxygen:1"]
    subprocess.run(export, check=True)


def of_polyid(*command: str) -> None:
    """Runs a script in PolyID's own environment."""
    subprocess.run([str(python_of("polyid")), *command], env=os.environ | POLYID_PATH, check=True, stdout=subprocess.DEVNULL)


POLYID_PATH = {"PYTHONPATH": str(POLYID_TOOLS), "PYTHONDONTWRITEBYTECODE": "1"}
"""With which its scripts find `answer.py` and its neighbours."""
