"""Asks a ChemModel for the molecules of a CSV file (name,smiles,measured_kelvin) and prints its answers beside the measured values."""

import csv
import json
import sys
import time
import urllib.error
import urllib.request

ATTEMPTS = 40


def ask(url: str, smiles: list[str]) -> dict:
    body = json.dumps({"smiles": smiles}).encode()
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    for attempt in range(ATTEMPTS):
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except (ConnectionError, urllib.error.URLError):
            # A port-forward needs a moment to listen.
            if attempt == ATTEMPTS - 1:
                raise
            time.sleep(0.25)
    raise AssertionError("unreachable")


def main() -> None:
    url, path = sys.argv[1:]
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    answer = ask(url, [row["smiles"] for row in rows])
    unit = answer.get("unit", "")
    print(f"{'molecule':<14} {'SMILES':<18} {'measured':>10} {'predicted':>10} {'error':>8}   [{unit}]")
    errors = []
    for row, item in zip(rows, answer["predictions"], strict=True):
        measured, predicted = float(row["measured_kelvin"]), item["prediction"]
        errors.append(abs(predicted - measured))
        print(f"{row['name']:<14} {row['smiles']:<18} {measured:>10.1f} {predicted:>10.1f} {predicted - measured:>+8.1f}")
    print(f"model {answer['model']}, version {answer['version']}; mean absolute error {sum(errors) / len(errors):.1f} {unit}")


if __name__ == "__main__":
    main()
