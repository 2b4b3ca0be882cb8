"""What cannot be done is refused in a sentence before anything is asked, and nothing is left behind."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chemmodel_predict.cli import main

GOOD = b"id,smiles\n7,CCO\n"


@pytest.mark.parametrize(
    ("source", "content", "out", "flags", "sentence"),
    [
        ("a.csv", GOOD, "o.csv", ["--column", "SMILES"], "has no column SMILES, it has id, smiles; say which one by"),
        ("a.smi", b"CCO\n", "o.csv", ["--column", "id"], "has no column id, it has smiles, name"),
        ("a.csv", b"", "o.csv", [], "a.csv is empty; its first line must name the columns"),
        ("a.csv", b"id,smiles\n7,CCO\n8\n", "o.csv", [], "row 2 has 1 values, but there are 2 columns"),
        ("a.csv", b'smiles\n"CCO', "o.csv", [], "a.csv cannot be read: unexpected end of data"),
        ("a.csv", b"smiles\n\xff\n", "o.csv", [], "a.csv is not text in UTF-8"),
        ("a.csv", b"smiles,smiles\nC,C\n", "o.csv", [], "two columns of one name: smiles, smiles"),
        ("a.csv", b"smiles,std_tb,digest\nC,1,1\n", "o.csv", [], "rename them: std_tb, digest"),
        ("a.csv.gz", GOOD, "o.csv", [], "a.csv.gz cannot be read: Not a gzipped file"),
        ("a.parquet", GOOD, "o.csv", [], "a.parquet cannot be read"),
        ("a.sdf", GOOD, "o.csv", [], "a.sdf: the name must end in .csv, .smi, .parquet"),
        ("a.csv", GOOD, "o.smi", [], "--out o.smi: the name must end in .csv or .parquet"),
        ("a.csv", GOOD, "nowhere/o.csv", [], "nowhere/o.csv.partial cannot be written"),
        ("a.csv", GOOD, "a.csv", [], "--out a.csv exists already"),
        ("a.csv", GOOD, "o.csv", ["--api-key-file", "a.csv"], "--api-key-file a.csv must hold one line, the key"),
        ("a.csv", GOOD, "o.csv", ["--api-key-file", "none"], "--api-key-file none cannot be read"),
        ("a.csv", GOOD, "o.csv", ["--ca-file", "a.csv"], "--ca-file a.csv cannot be read as certificates in PEM"),
    ],
)
def test_an_input_or_a_flag_that_cannot_be_used(predict, door, source, content, out, flags, sentence):
    Path(source).write_bytes(content)
    assert sentence in predict(source, out, *flags, url=door.url, status=1)
    assert not door.asked and not list(Path().glob("*o.csv*"))


def test_a_file_that_is_not_there(predict):
    assert "none.csv cannot be read: [Errno 2]" in predict("none.csv", "o.csv", status=1)


def test_a_parquet_column_of_numbers_is_no_column_of_molecules(predict):
    pq.write_table(pa.table({"id": [1], "smiles": ["CCO"]}), "a.parquet")
    assert "the column id has int64, not text" in predict("a.parquet", "o.csv", "--column", "id", status=1)


@pytest.mark.parametrize(("flag", "value"), [("--url", "boiling-point.chem"), ("--batch", "0"), ("--parallel", "x")])
def test_a_wrong_value_of_a_flag_is_a_usage_error(flag, value, capsys):
    arguments = {"--url": "http://boiling-point.chem", "--out": "o.csv"} | {flag: value}
    with pytest.raises(SystemExit, match="2"):
        main(["a.csv", *(part for pair in arguments.items() for part in pair)])
    assert flag in capsys.readouterr().err
