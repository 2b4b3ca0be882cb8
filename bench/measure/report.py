"""Writes docs/benchmarks.md and its picture from the results of a run. Nothing on the page is typed by hand."""

from measure import plot
from measure.cells import ALONE, HALF, MATRIX, OWN, SATURATED, UNLOADED, Cell
from measure.places import PAGE, PLOT
from measure.results import Results
from measure.servers import OURS
from measure.summary import Comparison, Verdict, verdicts

HEAD = """# Benchmarks

`chemmodel-server` beside other ways to serve the same network: the same bundle, the same molecules, the same machine and
cores, in turns within one run. This page is written by `bench/run.py`; what runs, and why, is in
[`bench/`](../bench/README.md).

Trust the ratios more than the numbers. The load generator has a core of its own, and each server in its turn has all the
others, as ONNX Runtime alone has them. Ratios are taken within a round; given is their median over {rounds} rounds.
"""

RATIOS = """## We against each of the others

Above 1 we are better. Connections: molecules a second, ours over theirs. Capacity (open loop: requests come at a rate,
whether or not the answers do): p99, theirs over ours. The rate is the same for all, a share of what the best of the others
can do; who can do less falls behind.
"""

NOTES = """## What to know about it

- A connection sends its next request when the last one is answered (closed loop, oha). The open loop spaces its requests
  evenly and counts each from the moment when it was due. A capacity is the best rate of the closed loops.
- Over HTTP/2 four connections share the requests, as those of a gateway do: a batch's answers and the requests that follow go in
  few packets. That is the difference between the two shares of ONNX Runtime alone. The peers' servers do not speak it. An open loop over it has one connection.
- Equal molecules of a batch are computed once by us. With 64 connections of 32 molecules some are equal, as they may be in
  real requests; with single molecules hardly any.
- Every server has given the bundle's golden answers before it is measured, and is warm. While it has no turn it is
  frozen (SIGSTOP), so that the background work of one costs the others nothing.
- BentoML is started anew for each cell and asked for two seconds before it counts. Its dispatcher learns how long requests
  wait, and after the cell with 2,048 molecules at once it kept a single one waiting for seconds, for longer than a cell.
- Our cache of answers is off (`--cache-entries 0`), because the molecules repeat. None of the others has one. Our queue is
  larger than by default (`--max-queue-items 8192`): 64 connections with 32 molecules each are 2,048, of which it would
  refuse a part; the others have no limit. The overload is measured with the default of 1,024.
- All use ONNX Runtime of the same version, and the same tokenizer. The Python peers sort a batch by length before they run
  it, which none of the frameworks does by itself. The settings of each (threads, inferences at once,
  size of a batch, how long it waits) are those that `bench/run.py --tune` found best for it on two cores of an Intel Xeon; they are in
  [`bench/measure/servers.py`](../bench/measure/servers.py). A request is what the framework wants: MLServer speaks the
  Open Inference Protocol, BentoML batches only lists.
- ONNX Runtime alone is `bench/src/bin/raw-loop.rs`: one session a core, molecules tokenised before, all of them sorted
  into the batches that our batcher finds cheapest, and all of these run. It serves nobody. The machine's speed changes by up to a
  tenth from one half minute to the next, so a single round may show more than it.
"""

RUN = """## Run it

```console
$ bench/run.py                                # everything: about an hour, the first time some more
$ bench/run.py --rounds 1 --seconds 1 --only matrix --servers chemmodel-server FastAPI
```

Needs Rust, Python 3.11 and a network for the first time; everything goes to `~/.cache/chemmodel`.
"""


def write(results: Results) -> None:
    """The page and the picture."""
    comparison = Comparison(results.samples)
    parts = [HEAD.format(rounds=len(comparison.rounds)), promises(verdicts(results))]
    if OURS in comparison.servers:
        PLOT.write_text(_picture(comparison))
        parts += [f"![Throughput and latency]({PLOT.name})\n"]
        parts += [RATIOS, _ratios(comparison)] if comparison.peers else []
        parts += ["## Numbers\n", _numbers(results, comparison)]
    parts += [NOTES, _made_with(results), RUN]
    PAGE.write_text("\n".join(parts))


def promises(found: list[Verdict]) -> str:
    """The first table of a page."""
    mark = {True: "yes", False: "**no**", None: "–"}
    rows = [(verdict.promise, verdict.found, mark[verdict.kept]) for verdict in found]
    return "## What was promised\n\n" + table(("promise", "measured: median (smallest to largest round)", "kept"), rows)


def _ratios(comparison: Comparison) -> str:
    rows = [(cell.name, *(f"{comparison.ratio(peer, cell):.2f}" for peer in comparison.peers)) for cell in MATRIX]
    return table(("", *comparison.peers), rows)


def _numbers(results: Results, comparison: Comparison) -> str:
    """Molecules a second, and p50 and p99 in milliseconds."""
    rows = [(cell.name, *(_cell(comparison, server, cell) for server in comparison.servers)) for cell in MATRIX]
    rows += [(cell.name, _cell(comparison, OURS, cell), *("" for _ in comparison.peers)) for cell in OWN]
    text = "Molecules a second; p50 / p99 of a request in milliseconds.\n\n" + table(("", *comparison.servers), rows)
    alone, single, half = comparison.rate(ALONE, SATURATED), comparison.p50(ALONE, UNLOADED), comparison.p99(ALONE, HALF)
    text += f"\n{ALONE}: {alone:,.0f} molecules a second; one molecule in {single:.2f} ms (p50); one by one at half of the rate p99 {half:.2f} ms.\n"
    unanswered = sum(sample.refused + sample.failed for sample in results.samples)
    answered = sum(sample.answered for sample in results.samples)
    text += f"\n{answered:,} requests were answered, {unanswered:,} were not"
    guilty = sorted({sample.server for sample in results.samples if sample.refused + sample.failed})
    return text + (f" ({', '.join(guilty)}).\n" if guilty else ".\n")


def _cell(comparison: Comparison, server: str, cell: Cell) -> str:
    p50, p99 = comparison.p50(server, cell), comparison.p99(server, cell)
    return f"{comparison.rate(server, cell):,.0f}; {p50:.2f} / {p99:.2f}"


def _picture(comparison: Comparison) -> str:
    many = Cell(32, connections=64)
    half = next(cell for cell in MATRIX if cell.share)
    groups = {}
    for cell in (SATURATED, many):
        bars = [_bar(server, comparison.rate(server, cell), "{:,.0f}") for server in comparison.servers]
        alone = comparison.rate(ALONE, SATURATED)
        bars.insert(0, plot.Bar(ALONE, alone, f"{alone:,.0f}", "limit"))
        groups[f"Molecules a second; requests of {cell.name} (more is better)"] = bars
    for title, cell, value in (
        ("p50 of one molecule, nobody else asks", UNLOADED, comparison.p50),
        (f"p99, {half.name}", half, comparison.p99),
    ):
        bars = [_bar(server, value(server, cell), "{:.2f} ms") for server in comparison.servers]
        groups[f"{title} (less is better)"] = bars
    return plot.draw(groups)


def _bar(server: str, value: float, form: str) -> plot.Bar:
    return plot.Bar(server, value, form.format(value), "ours" if server == OURS else "bar")


def _made_with(results: Results) -> str:
    rows = [("date", results.date), *results.machine.items()]
    if results.to_ready:
        rows.append(("seconds to ready", ", ".join(f"{name} {value:.1f}" for name, value in results.to_ready.items())))
    rows.append(("one cell", f"{results.seconds:g} s"))
    commands = "\n".join(f"# {name}\n{command}" for name, command in results.commands.items())
    return f"## Made with\n\n{table(('', ''), rows)}\n```sh\n{commands}\n```\n"


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """In Markdown."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
