"""A run that was interrupted goes on where it stopped: no row is lost, half written, or there twice."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event

import pytest
from chemmodel_server import running
from conftest import read_csv, write_csv

BATCH = 8
LISTS = 12
KEPT = 6 * BATCH
"""Molecules that are answered when a run is ended."""


@pytest.fixture
def molecules(server, here) -> list[str]:
    """More lists than are read ahead."""
    smiles = [*list(server.golden)[: BATCH * LISTS - 1], "C C"]
    write_csv("molecules.csv", smiles)
    return smiles


def killed(door, out: str, how: signal.Signals = signal.SIGKILL) -> str:
    """A run that is ended at its seventh list, with six in its journal; what it said."""
    release, held = Event(), Event()

    def hold(number, _smiles):
        if number >= KEPT // BATCH:
            held.set()
            release.wait()

    door.rule = hold
    command = [sys.executable, "-m", "chemmodel_predict.cli", "molecules.csv", "--url", door.url, "--out", out]
    command += ["--batch", str(BATCH), "--parallel", "1"]
    # As in a terminal: who starts these tests in the background may have had the signal ignored.
    heard = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=heard)
    try:
        assert held.wait(60)
        # Its last answer has left the server; it may still be on its way into the journal.
        while Path(f"{out}.partial").read_bytes().count(b"\n") < 1 + KEPT // BATCH:
            assert process.poll() is None
            time.sleep(0.01)
        os.kill(process.pid, how)
        said = process.communicate(timeout=60)[1]
    finally:
        process.kill()
        release.set()
    assert not Path(out).exists()
    door.rule = lambda _number, _smiles: None
    door.asked.clear()
    return said


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("half", [b"", b'{"predictions":[{"prediction":1', b'{"predictions":[{"prediction":1}]}'])
def test_after_kill_9_the_same_command_writes_the_file_of_an_undisturbed_run(predict, door, molecules, suffix, half):
    predict("molecules.csv", f"whole.{suffix}", "--batch", str(BATCH))
    killed(door, f"again.{suffix}")
    with Path(f"again.{suffix}.partial").open("ab") as journal:
        journal.write(half)
    said = predict("molecules.csv", f"again.{suffix}", "--batch", str(BATCH), url=door.url)
    asked = [one for _, smiles in door.asked for one in smiles]
    assert f"{len(molecules)} molecules, 1 with an error, {len(molecules) - len(asked)} from the run before" in said
    assert sorted(asked) == sorted(molecules[KEPT:])
    assert Path(f"again.{suffix}").read_bytes() == Path(f"whole.{suffix}").read_bytes()
    assert not Path(f"again.{suffix}.partial").exists()


def test_control_c_ends_it_at_once_and_says_how_to_go_on(predict, door, molecules):
    assert "interrupted; the same command goes on from here" in killed(door, "again.csv", signal.SIGINT)
    assert f"{KEPT} from the run before" in predict("molecules.csv", "again.csv", url=door.url)


def test_a_header_that_was_cut_begins_anew(predict, molecules):
    Path("o.csv.partial").write_text('{"schema":')
    assert "from the run before" not in predict("molecules.csv", "o.csv")


def test_another_input_another_column_and_another_file_are_refused_and_nothing_is_lost(predict, door, molecules):
    killed(door, "again.csv")
    progress = Path("again.csv.partial").read_bytes()
    text = Path("molecules.csv").read_text()
    Path("molecules.csv").write_text(text.replace("00003,", "3,"))
    assert "since then the input has changed" in predict("molecules.csv", "again.csv", status=1)
    Path("molecules.csv").write_text(text)
    assert "--column is another one" in predict("molecules.csv", "again.csv", "--column", "id", status=1)
    assert Path("again.csv.partial").read_bytes() == progress
    Path("o.csv.partial").write_text("my notes")
    assert "o.csv.partial was not written by this program" in predict("molecules.csv", "o.csv", status=1)
    assert Path("o.csv.partial").read_text() == "my notes"


def test_an_input_that_changes_during_the_run_is_found_out(predict, door, molecules):
    def change(number, _smiles):
        if number == LISTS - 1:
            write_csv("molecules.csv", molecules[1:])

    door.rule = change
    flags = ["--batch", str(BATCH), "--parallel", "1"]
    assert "was changed while it was read" in predict("molecules.csv", "o.csv", *flags, url=door.url, status=1)
    assert not Path("o.csv").exists()


def test_two_runs_do_not_write_one_output(predict, door, molecules):
    def second(number, _smiles):
        if number == 0:
            command = [sys.executable, "-m", "chemmodel_predict.cli", "molecules.csv", "--url", door.url]
            refused = subprocess.run([*command, "--out", "o.csv"], capture_output=True, text=True, timeout=60)
            said.append((refused.returncode, refused.stderr))

    said = []
    door.rule = second
    predict("molecules.csv", "o.csv", url=door.url)
    ((status, sentence),) = said
    assert status == 1 and "o.csv.partial is in use" in sentence
    assert len(read_csv("o.csv")) == len(molecules)


def test_a_switch_to_another_version_is_written_down_row_by_row(predict, door, molecules, tmp_path):
    killed(door, "o.csv")
    with running(tmp_path, "v1") as other:
        said = predict("molecules.csv", "o.csv", url=f"http://{other.http}")
    versions = [row["model_version"] for row in read_csv("o.csv")]
    assert versions == ["v2"] * KEPT + ["v1"] * (len(molecules) - KEPT)
    assert f"({KEPT}), v1 sha256:" in said and len({row["digest"] for row in read_csv("o.csv")}) == 2


@pytest.mark.parametrize(("field", "value"), [("model", "solubility"), ("unit", "degree Celsius")])
def test_another_model_does_not_answer_the_rest(predict, door, molecules, field, value):
    killed(door, "o.csv")

    def rule(_number, smiles):
        status, headers, answer = door.through(smiles)
        return status, headers, answer | {field: value}

    door.rule = rule
    said = predict("molecules.csv", "o.csv", url=door.url, status=1)
    assert f"now the server answers with {value}" in said and f"{KEPT} of 96 molecules are answered" in said
