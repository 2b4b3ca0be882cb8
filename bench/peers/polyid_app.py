"""The original: PolyID's own networks under Keras, in PolyID's own environment, asked for one oligomer at a time. No HTTP:
that would only cost it time. Reads questions from standard input, a JSON object a line, and answers each with a line.

    {"way": "published", "smiles": […]}                  {"members": [[…], …]}: each fold's answers
    {"way": "direct", "smiles": […], "seconds": 3}       {"rate": …}: molecules a second, in whole passes over the list

`published` is `make_predictions`, as PolyID's users call it. `direct` is what a service could make of the same objects: a
molecule is read once for all folds, and the networks of all folds are one compiled function of any graph's size.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from answer import load
from genuine import MultiModel, tf


def main() -> None:
    models = load(Path(sys.argv[1]))
    ways = {"published": published(models), "direct": direct(models)}
    # What Keras and the preprocessors print on the way goes elsewhere.
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        question = json.loads(line)
        predict, smiles = ways[question["way"]], question["smiles"]
        if "seconds" in question:
            answer = {"rate": rate(predict, smiles, question["seconds"])}
        else:
            answer = {"members": [predict(one) for one in smiles]}
        print(json.dumps(answer), file=answers, flush=True)


def published(models: MultiModel) -> Callable[[str], list[float]]:
    """A table of one row in, a table of a row for each fold out."""
    column = f"{models.prediction_columns[0]}_pred"
    return lambda smiles: models.make_predictions(pd.DataFrame({"smiles_polymer": [smiles]}))[column].tolist()


def direct(models: MultiModel) -> Callable[[str], list[float]]:
    """nfp's graph and features, each fold's tokens, and one call of TensorFlow."""
    folds = models.models
    reader = folds[0].preprocessor
    tokens = tf.TensorSpec((1, None), tf.int64)
    network = tf.function(
        lambda inputs: [fold.model(own, training=False) for fold, own in zip(folds, inputs, strict=True)],
        input_signature=[[{"atom": tokens, "bond": tokens, "connectivity": tf.TensorSpec((1, None, 2), tf.int64)}] * len(folds)],
    )
    for fold in folds:
        fold.preprocessor.atom_tokenizer.train = fold.preprocessor.bond_tokenizer.train = False

    def predict(smiles: str) -> list[float]:
        graph = reader.create_nx_graph(pd.Series({"smiles_polymer": smiles}))
        atoms = [reader.atom_features(data["atom"]) for _, data in graph.nodes(data=True)]
        bonds = [reader.bond_features(data["bond"]) for *_, data in graph.edges(data=True)]
        connectivity = tf.constant(reader.get_connectivity(graph, len(bonds))["connectivity"][None])
        inputs = [
            {
                "atom": tf.constant([[fold.preprocessor.atom_tokenizer(atom) for atom in atoms]], tf.int64),
                "bond": tf.constant([[fold.preprocessor.bond_tokenizer(bond) for bond in bonds]], tf.int64),
                "connectivity": connectivity,
            }
            for fold in folds
        ]
        rows = network(inputs)
        return [float(fold.data_scaler.inverse_transform(np.asarray(row))[0, 0]) for fold, row in zip(folds, rows, strict=True)]

    return predict


def rate(predict: Callable[[str], list[float]], smiles: list[str], seconds: float) -> float:
    """Whole passes, so that a slow way is asked for the same molecules as a fast one."""
    began, count = time.perf_counter(), 0
    while time.perf_counter() < began + seconds:
        for one in smiles:
            predict(one)
        count += len(smiles)
    return count / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
