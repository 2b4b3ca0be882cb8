"""The way from a file of molecules to a file of predictions: check, go on from what there is, ask, write."""

import asyncio
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tqdm import tqdm

from chemmodel_predict import output
from chemmodel_predict.answers import Answered
from chemmodel_predict.client import Client, Server
from chemmodel_predict.errors import PredictError
from chemmodel_predict.journal import Journal, open_journal
from chemmodel_predict.molecules import Molecules, digest, open_molecules, smiles

AHEAD = 4
"""Lists that are read ahead or wait for their turn to be kept, for each that is asked at once."""


@dataclass(frozen=True)
class Job:
    """What is asked."""

    source: Path
    column: str
    out: Path
    batch: int
    server: Server


def run(job: Job) -> str:
    """Returns the summary, once the output is there."""
    molecules = open_molecules(job.source, job.column)
    output.check(job.out, molecules.schema.names)
    # Read once from end to end, so that a bad row is told before the first question and not after the last.
    total = sum(1 for _ in smiles(molecules, job.column))
    before = digest(job.source)
    with open_journal(job.out.with_name(f"{job.out.name}.partial"), before, job.column) as journal:
        known, started = journal.answered.rows, time.monotonic()
        if known < total:
            try:
                asyncio.run(_ask(job, molecules, journal, total))
            except PredictError as error:
                kept = f"{journal.answered.rows} of {total} molecules are answered, in {journal.path}"
                raise PredictError(f"{error}\n{kept}; the same command goes on from there") from error
        seconds = time.monotonic() - started
        if digest(job.source) != before:
            raise PredictError(f"{job.source} was changed while it was read; remove {journal.path} and start over")
        output.write(job.out, molecules, journal)
        journal.remove()
    return _summary(job.out, journal.answered, known, seconds)


async def _ask(job: Job, molecules: Molecules, journal: Journal, total: int) -> None:
    unanswered = islice(smiles(molecules, job.column), journal.answered.rows, None)
    under_way: deque[asyncio.Task] = deque()
    # Nothing is drawn where nobody looks: `disable=None` asks whether it is a terminal.
    with tqdm(total=total, initial=journal.answered.rows, unit=" molecules", disable=None) as bar:
        try:
            async with Client(job.server, lambda why: bar.set_postfix_str(f"waiting: {why}")) as client:
                for molecules in _lists(unanswered, job.batch):
                    under_way.append(asyncio.create_task(client.ask(molecules)))
                    if len(under_way) == AHEAD * job.server.parallel:
                        _keep(await under_way.popleft(), journal, bar)
                while under_way:
                    _keep(await under_way.popleft(), journal, bar)
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)


def _lists(molecules: Iterator[str], size: int) -> Iterator[list[str]]:
    while chunk := list(islice(molecules, size)):
        yield chunk


def _keep(answers: list[dict], journal: Journal, bar: tqdm) -> None:
    for answer in answers:
        journal.append(answer)
        bar.update(len(answer["predictions"]))
    bar.set_postfix_str("")


def _summary(out: Path, answered: Answered, known: int, seconds: float) -> str:
    told = f"{out}: {answered.rows} molecules, {answered.failed} with an error"
    if known:
        told += f", {known} from the run before"
    if asked := answered.rows - known:
        told += f", {seconds:.1f} s, {asked / seconds:.0f} molecules/s"
    makers = [f"{version} {digest} ({rows})" for (version, digest), rows in answered.makers.items()]
    return told + f"; answered by {answered.model} {', '.join(makers)}" if makers else told
