"""What is read and what is written."""

import csv
import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from chemmodel_server import BUNDLES
from conftest import read_csv, write_csv

DIGEST = "sha256:"
BAD = "C C"


def predictions(rows: list[dict]) -> list[float]:
    return [float(row["prediction"]) for row in rows]


def test_a_csv_file_comes_back_with_the_reference_predictions_beside_its_own_columns(predict, server):
    smiles = list(server.golden)
    write_csv("molecules.csv", smiles)
    said = predict("molecules.csv", "predictions.csv", "--batch", "50")
    rows = read_csv("predictions.csv")
    assert list(rows[0]) == ["id", "smiles", "prediction", "error", "position", "model_version", "digest"]
    assert [(row["id"], row["smiles"]) for row in rows] == [(f"{n:05}", one) for n, one in enumerate(smiles)]
    assert predictions(rows) == pytest.approx(list(server.golden.values()), rel=1e-4)
    assert {(row["error"], row["position"], row["model_version"]) for row in rows} == {("", "", "v2")}
    assert {len(row["digest"]) for row in rows} == {len(DIGEST) + 64}
    assert f"{len(smiles)} molecules, 0 with an error" in said and "answered by boiling-point v2 sha256:" in said
    assert [path.name for path in Path().iterdir() if "predictions" in path.name] == ["predictions.csv"]


def test_a_bad_molecule_in_the_middle_has_an_error_and_its_position_and_the_others_are_predicted(predict):
    write_csv("molecules.csv", ["CCO", BAD, "", "c1ccccc1"])
    assert "4 molecules, 2 with an error" in predict("molecules.csv", "predictions.csv")
    ethanol, bad, empty, benzene = read_csv("predictions.csv")
    assert "position 1" in bad["error"] and bad["position"] == "1" and bad["prediction"] == ""
    assert empty["error"] and empty["prediction"] == ""
    assert all(predictions([ethanol, benzene])) and not ethanol["error"] and not benzene["error"]


def test_text_that_needs_quotes_a_marked_utf8_and_another_column_survive(predict):
    rows = [["Name", "SMI"], ['said "2-propanol", rarely', "CC(C)O"], ["two\nlines", "CCO"], ["Äthan ", "CC"]]
    with Path("molecules.csv").open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(rows)
    predict("molecules.csv", "predictions.csv", "--column", "SMI")
    assert [[row["Name"], row["SMI"]] for row in read_csv("predictions.csv")] == rows[1:]


def test_a_smi_file_has_no_header_and_its_names_become_a_column(predict):
    Path("molecules.smi").write_text("CCO ethanol\n\nc1ccccc1\tbenzene, dried \nCC\n")
    predict("molecules.smi", "predictions.csv")
    rows = [(row["smiles"], row["name"]) for row in read_csv("predictions.csv")]
    assert rows == [("CCO", "ethanol"), ("c1ccccc1", "benzene, dried"), ("CC", "")]


@pytest.mark.parametrize("source", ["molecules.csv", "molecules.smi"])
def test_gzipped_text_is_read_and_written(predict, source):
    text = "smiles,name\nCCO,ethanol\n" if source.endswith("csv") else "CCO ethanol\n"
    Path(f"{source}.gz").write_bytes(gzip.compress(text.encode()))
    predict(f"{source}.gz", "one.csv.gz")
    predict(f"{source}.gz", "two.csv.gz")
    written = gzip.decompress(Path("one.csv.gz").read_bytes()).decode()
    assert written.startswith("smiles,name,prediction,") and "\nCCO,ethanol," in written
    assert Path("one.csv.gz").read_bytes() == Path("two.csv.gz").read_bytes()


def test_a_parquet_file_keeps_its_types_and_metadata_over_row_groups_and_has_a_unit(predict, server):
    smiles = [*server.golden, None]
    table = pa.table(
        {
            "measured": pa.array([None if n % 7 else n / 8 for n in range(len(smiles))], pa.float32()),
            "smiles": pa.array(smiles).dictionary_encode(),
            "tags": pa.array([["a"] * (n % 3) for n in range(len(smiles))], pa.list_(pa.string())),
        },
        metadata={"origin": "a test"},
    )
    pq.write_table(table, "molecules.parquet", row_group_size=10)
    predict("molecules.parquet", "predictions.parquet")
    found = pq.read_table("predictions.parquet")
    assert found.select(table.column_names).equals(table)
    assert found.schema.metadata[b"origin"] == b"a test"
    assert found["prediction"].to_pylist()[:-1] == pytest.approx(list(server.golden.values()), rel=1e-4)
    assert found["prediction"].null_count == 1 and found["error"].null_count == len(smiles) - 1
    unit = json.loads((BUNDLES / "v2/chemmodel.json").read_text())["outputs"][0]["unit"]
    assert found.schema.field("prediction").metadata == {b"unit": unit.encode()}


def test_csv_and_parquet_are_written_with_the_same_values(predict, server):
    write_csv("molecules.csv", [*server.golden, BAD])
    predict("molecules.csv", "predictions.csv")
    predict("molecules.csv", "predictions.parquet")
    text = [{name: value or None for name, value in row.items()} for row in read_csv("predictions.csv")]
    typed = [{k: v and str(v) for k, v in row.items()} for row in pq.read_table("predictions.parquet").to_pylist()]
    assert text == typed


def test_outputs_by_name_with_spread_and_domain_have_a_column_each(predict, door):
    about = {"model": "two", "version": "v1", "digest": "sha256:0", "unit": {"tb": "K"}}
    row = {"prediction": {"tb": 1.5, "log_p": -2.0}, "std": {"tb": 0.5, "log_p": 0.25}, "members": {"tb": [1, 2]}}
    rows = [row | {"domain": {"unseenEnvironments": 3, "inside": False}}, {"error": "no"}]
    door.rule = lambda _number, _smiles: (200, {}, about | {"predictions": rows})
    write_csv("molecules.csv", ["CCO", BAD])
    predict("molecules.csv", "predictions.csv", url=door.url)
    predicted, failed = read_csv("predictions.csv")
    wanted = {"prediction_tb": "1.5", "prediction_log_p": "-2.0", "std_tb": "0.5", "std_log_p": "0.25"}
    assert predicted.items() >= (wanted | {"unseen_environments": "3", "error": ""}).items()
    assert failed.items() >= (dict.fromkeys(wanted, "") | {"unseen_environments": "", "error": "no"}).items()
    assert "members" not in predicted


def test_a_file_without_rows_gives_one_without_rows(predict):
    write_csv("molecules.csv", [])
    assert "0 molecules" in predict("molecules.csv", "predictions.csv")
    assert Path("predictions.csv").read_text() == "id,smiles,prediction,error,position,model_version,digest\n"
