"""Asks a ChemModel for the molecules of a CSV file and prints its answers beside the measured values.

The file's first three columns are name, SMILES and the measured value. A model with several outputs needs the name of one.
"""

import csv
import json
import sys
import time
import urllib.error
import urllib.request

ATTEMPTS = 40
SHOWN = 18


def ask(url: str, smiles: list[str]) -> dict:
    body = json.dumps({"smiles": smiles}).encode()
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    for attempt in range(ATTEMPTS):
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except (ConnectionError, urllib.error.URLError):
            # A port-forward needs a moment to listen.
            if attempt == ATTEMPTS - 1:
                raise
            time.sleep(0.25)
    raise AssertionError("unreachable")


def spread(item: dict, std: float | None) -> str:
    """What an ensemble says beside its answer."""
    domain = item.get("domain")
    far = "" if domain is None or domain["inside"] else f"   {domain['unseenEnvironments']} unseen environments"
    return ("" if std is None else f"   ± {std:.1f}") + far


def main() -> None:
    url, path, *output = sys.argv[1:]
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    answer = ask(url, [smiles for _, smiles, *_ in rows])

    def of(field):
        return field[output[0]] if output and field is not None else field

    unit = of(answer.get("unit")) or ""
    width = max(len(row[0]) for row in rows)
    print(f"{'molecule':<{width}} {'SMILES':<{SHOWN}} {'measured':>10} {'predicted':>10} {'error':>8}   [{unit}]")
    errors = []
    for (name, smiles, value, *_), item in zip(rows, answer["predictions"], strict=True):
        measured, predicted = float(value), of(item["prediction"])
        errors.append(abs(predicted - measured))
        shown = smiles if len(smiles) <= SHOWN else smiles[: SHOWN - 1] + "…"
        print(
            f"{name:<{width}} {shown:<{SHOWN}} {measured:>10.1f} {predicted:>10.1f} {predicted - measured:>+8.1f}"
            + spread(item, of(item.get("std")))
        )
    print(f"model {answer['model']}, version {answer['version']}; mean absolute error {sum(errors) / len(errors):.1f} {unit}")


if __name__ == "__main__":
    main()
