"""Servers that are away, overloaded, of another mind, or behind a lock."""

import socket
from pathlib import Path

import pytest
from chemmodel_server import running
from conftest import read_csv, write_csv
from door import opened

SMILES = ["C" * length for length in range(1, 33)]


@pytest.fixture(autouse=True)
def molecules(here):
    write_csv("molecules.csv", SMILES)


def check_all(out: str) -> None:
    rows = read_csv(out)
    assert [row["smiles"] for row in rows] == SMILES
    assert all(row["prediction"] for row in rows)


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_says_when_to_come_back_is_asked_again_then_and_not_before(predict, door, status):
    refusal = (status, {"retry-after": "2"}, {"error": "the model is overloaded: its queue is full; try again later"})
    door.rule = lambda number, _smiles: refusal if number == 1 else None
    predict("molecules.csv", "o.csv", "--batch", "16", "--parallel", "1", url=door.url)
    refused, again = door.asked[1:]
    assert refused[1] == again[1] and again[0] - refused[0] >= 2
    check_all("o.csv")


def test_a_server_that_is_full_answers_everything_in_the_end(predict, tmp_path):
    with running(tmp_path, "v2", "--max-queue-items", "8", "--cache-entries", "0") as server:
        predict("molecules.csv", "o.csv", "--batch", "4", "--parallel", "16", url=f"http://{server.http}")
    check_all("o.csv")


def test_a_server_that_is_away_for_long_is_given_up_and_the_next_run_has_what_was_answered(predict, door):
    def leave(number, _smiles):
        if number == 1:
            raise ConnectionAbortedError
        return (503, {}, {"error": "the server is shutting down; try again"}) if number > 1 else None

    door.rule = leave
    flags = ["--batch", "16", "--parallel", "1", "--patience", "2"]
    said = predict("molecules.csv", "o.csv", *flags, url=door.url, status=1)
    assert "has not answered for 2 s" in said and "503: the server is shutting down" in said
    assert "16 of 32 molecules are answered, in o.csv.partial; the same command goes on from there" in said
    assert len(door.asked) > 3 and not Path("o.csv").exists()
    assert "16 from the run before" in predict("molecules.csv", "o.csv")
    check_all("o.csv")


def test_a_server_that_comes_back_finds_its_client_waiting(predict, server):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    said = predict("molecules.csv", "o.csv", "--patience", "1", url=f"http://127.0.0.1:{port}", status=1)
    assert "has not answered for 1 s" in said and "0 of 32 molecules are answered" in said
    with opened(server.http) as door:
        door.rule = lambda number, _smiles: (502, {}, {}) if number < 3 else None
        predict("molecules.csv", "o.csv", url=door.url)
    check_all("o.csv")


def test_lists_that_are_too_large_for_the_server_are_halved_until_they_are_not(predict, tmp_path):
    with running(tmp_path, "v2", "--max-items-per-request", "5") as server:
        predict("molecules.csv", "o.csv", url=f"http://{server.http}")
    check_all("o.csv")


def test_molecules_on_which_the_engine_fails_get_its_sentence_and_hold_up_no_others(predict, door):
    def fail(_number, smiles):
        # As the server: a list without any prediction is a failure of the server.
        return (500, {}, {"error": "the model gave no finite number"}) if set(smiles) <= {"C", "CC"} else None

    door.rule = fail
    said = predict("molecules.csv", "o.csv", "--batch", "2", url=door.url)
    assert "32 molecules, 2 with an error" in said
    rows = read_csv("o.csv")
    assert [row["error"] for row in rows[:3]] == ["the model gave no finite number"] * 2 + [""]
    assert all(row["prediction"] for row in rows[2:])


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ((404, {}, {"error": "there is nothing here"}), "answered 404: there is nothing here"),
        ((308, {"location": "https://x"}, {}), "answered 308: Permanent Redirect"),
        ((200, {}, {"hello": "world"}), "does not answer as a ChemModel does; is --url right?"),
        ((200, {}, {"predictions": [], "model": "m", "version": "v", "digest": "d"}), "is --url right?"),
    ],
)
def test_an_answer_that_no_waiting_would_change_ends_it_at_once(predict, door, answer, sentence):
    door.rule = lambda _number, _smiles: answer
    said = predict("molecules.csv", "o.csv", "--batch", "16", "--parallel", "1", url=door.url, status=1)
    assert sentence in said and len(door.asked) == 1


def test_keys_and_certificates_of_a_server_that_asks_for_both(predict, locked):
    Path("wrong").write_text("guess\n")
    assert "give its authority by --ca-file" in predict("molecules.csv", "o.csv", url=locked, status=1)
    trusting = ["--ca-file", "ca.pem"]
    assert "answered 401" in predict("molecules.csv", "o.csv", *trusting, url=locked, status=1)
    wrong = [*trusting, "--api-key-file", "wrong"]
    assert "answered 401" in predict("molecules.csv", "o.csv", *wrong, url=locked, status=1)
    predict("molecules.csv", "o.csv", *trusting, "--api-key-file", "key", url=locked)
    check_all("o.csv")
