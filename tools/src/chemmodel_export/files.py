"""Writing files whole or not at all, with bytes that depend on nothing but their content."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chemmodel_export.errors import ExportError


def read_json(path: Path) -> dict:
    """The object in `path`; anything else is an error that names the file."""
    try:
        value = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise ExportError(f"{path} is missing") from error
    except (OSError, ValueError) as error:
        raise ExportError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(value, dict):
        raise ExportError(f"{path} must hold a JSON object")
    return value


def write_json(path: Path, value: object) -> None:
    """Sorted keys, two spaces, a trailing newline."""
    path.write_text(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")


def check_free(target: Path, replace_if_holds: str | None = None) -> None:
    if target.exists() and not (replace_if_holds and (target / replace_if_holds).is_file()):
        raise ExportError(f"{target} exists already; nothing was written: give a folder that does not exist yet")


@contextmanager
def new_folder(target: Path, replace_if_holds: str | None = None) -> Iterator[Path]:
    """A scratch folder beside `target` that becomes `target` when the block ends well, and vanishes when it does not.

    What stands at `target` already is an error, unless it holds the file that marks it as an earlier result.
    """
    target = target.absolute()
    check_free(target, replace_if_holds)
    replaces = target.exists()
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield scratch
        scratch.chmod(0o755)
        if replaces:
            old = Path(tempfile.mkdtemp(prefix=f".{target.name}.old.", dir=target.parent))
            target.replace(old / target.name)
            scratch.replace(target)
            shutil.rmtree(old)
        else:
            scratch.replace(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
