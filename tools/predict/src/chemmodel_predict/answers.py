"""What a server's answers say, and the columns that they become."""

from collections import Counter

import pyarrow as pa

from chemmodel_predict.errors import PredictError

FIXED = {"error": pa.string(), "position": pa.int64(), "model_version": pa.string(), "digest": pa.string()}
"""Columns of every output, after those of the predictions."""
PER_OUTPUT = ("prediction", "std")
UNSEEN = "unseen_environments"


def is_reserved(name: str) -> bool:
    """Whether a column of the output may have this name."""
    return name in (*FIXED, *PER_OUTPUT, UNSEEN) or name.startswith(tuple(f"{field}_" for field in PER_OUTPUT))


class Answered:
    """What all rows so far have in common, and what is counted about them. One output has one model and one unit."""

    def __init__(self):
        self.rows = 0
        self.failed = 0
        self.makers: Counter[tuple[str, str]] = Counter()
        """Rows by the version and the digest that answered."""
        self._common: dict = {}
        self._fields: set[str] = set()

    def take(self, answer: dict) -> None:
        """Counts an answer; one of another model is refused, one of another version is not."""
        rows = answer["predictions"]
        if "model" in answer:
            self._agree("model", answer["model"])
            self._agree("unit", answer.get("unit"))
            self.makers[answer["version"], answer["digest"]] += len(rows)
        for row in rows:
            if "prediction" in row:
                self._agree("outputs", _names(row["prediction"]))
                self._fields.update(row)
            else:
                self.failed += 1
        self.rows += len(rows)

    @property
    def model(self) -> str | None:
        """Its name."""
        return self._common.get("model")

    def schema(self) -> list[pa.Field]:
        """The columns of the answers. A field that no row has, has none."""
        units = self._common.get("unit")
        fields = []
        for field in PER_OUTPUT:
            for output in self._outputs() if field == PER_OUTPUT[0] or field in self._fields else []:
                unit = units.get(output) if isinstance(units, dict) else units
                fields.append(pa.field(_column(field, output), pa.float64(), metadata={"unit": unit} if unit else None))
        if "domain" in self._fields:
            fields.append(pa.field(UNSEEN, pa.int64()))
        return fields + [pa.field(name, kind) for name, kind in FIXED.items()]

    def columns(self, rows: list[dict]) -> list[pa.Array]:
        """The values for :meth:`schema`."""
        values = [self._values(row) for row in rows]
        return [pa.array([row.get(field.name) for row in values], field.type) for field in self.schema()]

    def _values(self, row: dict) -> dict:
        values = {"error": row.get("error"), "position": row.get("position")}
        values |= {"model_version": row["version"], "digest": row["digest"]}
        for field in PER_OUTPUT:
            value = row.get(field)
            named = value if isinstance(value, dict) else {None: value}
            values |= {_column(field, output): number for output, number in named.items()}
        return values | {UNSEEN: row.get("domain", {}).get("unseenEnvironments")}

    def _outputs(self) -> tuple[str | None, ...]:
        return self._common.get("outputs", (None,))

    def _agree(self, what: str, found: object) -> None:
        expected = self._common.setdefault(what, found)
        if expected != found:
            raise PredictError(
                f"the first rows were answered with the {what} {_told(expected)}, but now the server answers with "
                f"{_told(found)}, and one output has one model: ask that of the first rows, or remove the .partial file"
            )


def _names(prediction: float | dict) -> tuple[str | None, ...]:
    """Of the outputs; a single one has none."""
    return tuple(prediction) if isinstance(prediction, dict) else (None,)


def _told(found: object) -> str:
    return ", ".join(name or "without a name" for name in found) if isinstance(found, tuple) else str(found)


def _column(field: str, output: str | None) -> str:
    return field if output is None else f"{field}_{output}"
