"""What the columns of the training table become: outputs of the manifest."""

from chemmodel_export.errors import ExportError

LOG10 = "log10_"  # how PolyID's published tables begin the names of permeabilities


def described(texts: list[str], columns: list[str]) -> list[dict]:
    """Of `COLUMN:PROPERTY:UNIT`, one for each column and in their order. Units are those of the table."""
    parts = [text.split(":", 2) for text in texts]
    for text, part in zip(texts, parts, strict=True):
        if len(part) != 3:
            raise ExportError(f"--output {text} must be COLUMN:PROPERTY:UNIT")
    if [part[0] for part in parts] != columns:
        raise ExportError(f"--output must name the predicted columns in their order, {columns}")
    return [_output(*part) for part in parts]


def _output(column: str, about: str, unit: str) -> dict:
    """The scaling of the labels is undone inside each network, because each fold has its own."""
    transform = "log10" if column.startswith(LOG10) else "none"
    name = column.removeprefix(LOG10)
    return {"name": name, "property": about, "unit": unit, "transform": transform, "scale": 1.0, "center": 0.0}
