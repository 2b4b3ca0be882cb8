#!/usr/bin/env python3
"""Compares the server with others and writes docs/benchmarks.md and docs/benchmarks-graphs.md. See bench/README.md."""

import argparse
import datetime
import shlex
import signal
import sys
import time

from measure import cells, echo, graph_model, graph_report, graphs, machine, memory
from measure import overload, precision, report, results, slow_loris, start, tune
from measure.check import check
from measure.places import CACHE, GRAPH_PAGE, GRAPH_RESULTS, PAGE, REPOSITORY, RESULTS, TARGET
from measure.prepare import prepare, prepare_peers
from measure.server import Running, Server
from measure.servers import all_servers

PARTS = ("matrix", "echo", "precision", "overload", "slow-loris", "start", "memory", "graphs")


def main() -> None:
    """Prepares, measures the parts that are wanted, and writes the pages: graphs have their own."""
    args = _arguments()
    # So that whoever is asked to end stops the servers first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    if args.report:
        _report(args.only)
        return
    prepare()
    if args.tune:
        prepare_peers()
        tune.tune(args.rounds, args.seconds, set(args.servers))
        return
    parts = [name for name in args.only if name != "graphs"]
    if parts:
        prepare_peers()
        _compare(parts, args)
    if "graphs" in args.only:
        graph_model.prepare()
        _tell("graphs")
        graphs.run(graphs.Graphs(_today(), machine.describe_graphs(), args.seconds), args.rounds, GRAPH_RESULTS, _tell)
    _report(args.only)


def _report(only: list[str]) -> None:
    """The pages of these parts, as far as they were ever measured."""
    if set(only) != {"graphs"} and RESULTS.exists():
        report.write(results.read(RESULTS))
        print(f"wrote {PAGE}, from {RESULTS}")
    if "graphs" in only and GRAPH_RESULTS.exists():
        graph_report.write(graphs.read(GRAPH_RESULTS))
        print(f"wrote {GRAPH_PAGE}, from {GRAPH_RESULTS}")


def _compare(parts: list[str], args: argparse.Namespace) -> None:
    found = results.begin(RESULTS, _today(), machine.describe(), args.seconds)
    wanted = [server for server in all_servers() if not args.servers or server.name in args.servers]
    if "matrix" in parts:
        _matrix(found, wanted, args.rounds, args.seconds)
    for name in parts:
        if name != "matrix":
            _tell(name)
        _scenario(name, found, args)
        found.write(RESULTS)


def _today() -> str:
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def _scenario(name: str, found: results.Results, args: argparse.Namespace) -> None:
    match name:
        case "echo":
            found.echo = echo.run(args.rounds, args.seconds)
        case "precision":
            found.precision = precision.run(args.rounds, args.seconds)
        case "overload":
            found.overload = overload.run(args.rounds, args.seconds)
        case "slow-loris":
            found.slow_loris = slow_loris.run(args.rounds, args.seconds)
        case "start":
            found.starts = start.run(args.rounds)
        case "memory":
            found.memory = memory.run(args.predictions)


def _matrix(found: results.Results, wanted: list[Server], rounds: int, seconds: float) -> None:
    running: list[Running] = []
    found.samples = []
    try:
        for server in wanted:
            running.append(server.start())
            check(running[-1])
            cells.warm_up(running[-1])
            running[-1].process.freeze()
            found.commands[server.name] = _command(server)
            found.to_ready[server.name] = running[-1].seconds_to_ready
            _tell(f"{server.name} is ready, after {running[-1].seconds_to_ready:.1f} s")
        for number in range(rounds):
            _tell(f"round {number + 1} of {rounds}")
            found.samples += cells.run(running, number, seconds, _tell)
            found.write(RESULTS)
    finally:
        for one in running:
            one.process.stop()


def _command(server: Server) -> str:
    """As one could type it: without the places of this machine."""
    environment = [f"{name}={shlex.quote(value)}" for name, value in server.environment.items()]
    text = " ".join([*environment, *server.command])
    return text.replace(str(TARGET), "target/release").replace(str(REPOSITORY) + "/", "").replace(str(CACHE), "$CHEMMODEL_CACHE")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often everything has its turn [5]")
    parser.add_argument("--seconds", type=float, default=3, help="of one measurement [3]")
    parser.add_argument("--predictions", type=int, default=1_000_000, help="of the part `memory` [1000000]")
    parser.add_argument("--servers", nargs="+", default=[], metavar="NAME", help="only these, as the page names them")
    parser.add_argument("--only", nargs="+", default=PARTS, choices=PARTS, metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--report", action="store_true", help="measure nothing: write the pages again from the last results")
    parser.add_argument("--tune", action="store_true", help="find the best settings of the peers instead")
    return parser.parse_args()


BEGAN = time.monotonic()


def _tell(line: str) -> None:
    print(f"{time.monotonic() - BEGAN:6.0f} s  {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
