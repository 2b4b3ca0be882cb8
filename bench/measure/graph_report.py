"""Writes docs/benchmarks-graphs.md from the results of the part `graphs`. Nothing on the page is typed by hand."""

from collections.abc import Callable
from statistics import median

from measure.graphs import CONNECTIONS, Graphs, Round
from measure.original import ORIGINAL, WAYS
from measure.places import FEATURE_LISTS, GRAPH_PAGE
from measure.report import promises, table
from measure.summary import Verdict, spread

TIMES = 20
SHARE = 0.95
SATURATED = str(CONNECTIONS[-1])
WORDS = {"published": "PolyID's `make_predictions`", "direct": "the same Keras networks, called directly"}

HEAD = """# Benchmarks: a PolyID ensemble

`chemmodel-server` beside PolyID itself and beside ONNX Runtime alone: the same weights, the same oligomers, the same core, in
turns within one run. This page is written by `bench/run.py --only graphs`; what runs, and why, is in
[`bench/`](../bench/README.md). [Sequences](benchmarks.md) have their own page.

Trust the ratios more than the numbers. They are taken within a round; given is their median over {rounds} rounds.
"""

NOTES = """## What to know about it

- The ensemble has the published shape, 128 features and 12 messages, and three folds. `bench/run.py` trains it with
  PolyID's own code for ten epochs on 23 oligomers, with the share of oxygen as the label, and exports it. Its answers are
  worthless; speed does not depend on weights.
- Before anything is measured, each fold's answer of our server equals PolyID's within 1e-4, for the oligomers that PolyID is asked for.
- PolyID is asked in its own process, without HTTP, for one oligomer at a time: a Python server would be slower. `make_predictions` is what its
  users call: a table of one row, for which it makes a data set and calls `Model.predict`, fold by fold. Called directly, the
  molecule is read once for all folds, and all three networks are one compiled `tf.function` of any graph's size: what a
  careful service could make of the same objects. TensorFlow has one thread, as we have.
- The server is asked over HTTP, one oligomer a request, without its cache. With 8 and 64 connections it runs what waits
  together, as it does in use: some eight oligomers. Each oligomer is asked once in a turn, by us and of ONNX Runtime alone: some cost five times as much as
  others. With one connection each is a batch of its own, and of several ONNX Runtime makes more.
- The requests are oligomers of 16 to 20 units, all different: acrylates, methacrylates and olefins, whose sides m2p turns at random, and polyesters, in which each
  unit is like the next. PolyID is asked for 24 of them, drawn at random. Much of our speed comes from such repetition:
  equal atoms are [computed once](adr/0028-equal-atoms-once.md), also in the loop of ONNX Runtime alone.
- ONNX Runtime alone is `bench/src/bin/raw-loop.rs`: one session of one thread, molecules read before, in the batches that
  our batcher would make if all were there at once; whole rounds through all of them.
- Features are made on one thread. Ours is `bench/src/bin/featurise.rs`; the other side is nfp's preprocessor as PolyID
  sets it up (RDKit reads the SMILES and adds hydrogens, networkx and Python make the tokens), and RDKit's own C++ for Morgan
  environments. Both sides read the SMILES each time, and must find the same in all.
"""

RUN = """## Run it

```console
$ bench/run.py --only graphs                  # the first time some more, for training the ensemble
```
"""


def write(found: Graphs) -> None:
    """The page."""
    parts = [HEAD.format(rounds=len(found.rounds)), promises(verdicts(found.rounds)), "## Numbers\n", _numbers(found.rounds), NOTES]
    rows = [("date", found.date), *found.machine.items(), ("one measurement", f"{found.seconds:g} s at least")]
    parts += [f"## Made with\n\n{table(('', ''), rows)}", RUN]
    GRAPH_PAGE.write_text("\n".join(parts))


def verdicts(rounds: list[Round]) -> list[Verdict]:
    """Every promise, also the ones that are not kept."""
    served = _at_least(
        TIMES, f"an ensemble, single requests, saturated: at least {TIMES} × {WORDS[ORIGINAL]}", _ratios(rounds, ORIGINAL, SATURATED), " ×"
    )
    featurised = [
        _at_least(
            TIMES,
            f"features of {name}: at least {TIMES} × RDKit and nfp",
            [one.features[name].nfp / one.features[name].nfp_original for one in rounds],
            " ×",
        )
        for name in FEATURE_LISTS
    ]
    shares = [one.ours[SATURATED] / one.alone for one in rounds]
    share = _at_least(SHARE, f"single requests, saturated: at least {SHARE} of ONNX Runtime alone", shares, "")
    return [served, *featurised, share]


def _at_least(limit: float, promise: str, values: list[float], unit: str) -> Verdict:
    return Verdict(promise, spread(values, unit), median(values) >= limit)


def _ratios(rounds: list[Round], way: str, connections: str) -> list[float]:
    return [one.ours[connections] / one.original[way] for one in rounds]


def _numbers(rounds: list[Round]) -> str:
    def of(rate: Callable[[Round], float]) -> str:
        return f"{median(map(rate, rounds)):,.1f}"

    served = [
        (
            f"chemmodel-server, {count} connection{'s' if count > 1 else ''}",
            of(lambda one, count=count: one.ours[str(count)]),
            *(spread(_ratios(rounds, way, str(count)), " ×") for way in WAYS),
        )
        for count in CONNECTIONS
    ]
    others = [(WORDS[way], of(lambda one, way=way: one.original[way]), "", "") for way in WAYS]
    alone = ("ONNX Runtime alone", of(lambda one: one.alone), "", "")
    text = "Oligomers a second; how often that is what PolyID answers.\n\n"
    text += table(("", "oligomers a second", *(WORDS[way] for way in WAYS)), [*served, alone, *others])
    rows = []
    for name in FEATURE_LISTS:
        for what, words in (("nfp", "SMILES to PolyID's tokens"), ("morgan", "SMILES to Morgan environments")):
            ours, theirs = ([getattr(one.features[name], kind) for one in rounds] for kind in (what, f"{what}_original"))
            ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
            rows.append((f"{words}, {name}", f"{median(ours):,.0f}", f"{median(theirs):,.0f}", spread(ratios, " ×")))
    return text + "\nMolecules a second, one thread.\n\n" + table(("", "ours", "RDKit, nfp", "ratio"), rows)
