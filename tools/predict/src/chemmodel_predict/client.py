"""Asks a server for lists of molecules, until it answers or has been away for too long.

Lists and not lines (NDJSON), because the answer to a list says which version of the model gave it, and because a list
can be asked again, of another replica too, when its answer was lost.
"""

import asyncio
import random
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from chemmodel_predict.errors import PredictError

AGAIN = {408, 429, 502, 503, 504}
"""Statuses after which the same question may be answered."""
HALVE = {413, 500}
"""Statuses of a list as a whole of which a part may be answered: it is too large, or none of it could be predicted."""
LONGEST_WAIT = 30.0
"""Seconds between two questions, unless the server says otherwise."""
TIMEOUT = httpx.Timeout(60, connect=10)
"""The server itself gives up after 30 s."""


@dataclass(frozen=True)
class Server:
    """Where a server is and how it is asked."""

    url: str
    headers: dict[str, str]
    """Who asks."""
    tls: ssl.SSLContext
    parallel: int
    """Lists at once."""
    patience: float
    """Seconds without any answer after which it is given up."""


class Client:
    """Used as a context; `waiting` hears why there is no answer yet."""

    def __init__(self, server: Server, waiting: Callable[[str], None]):
        self._server = server
        self._waiting = waiting
        self._allowed = asyncio.Semaphore(server.parallel)
        self._answered = time.monotonic()
        self._http = httpx.AsyncClient(headers=server.headers, verify=server.tls, timeout=TIMEOUT)

    async def __aenter__(self) -> "Client":
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *why) -> None:
        await self._http.__aexit__(*why)

    async def ask(self, smiles: list[str]) -> list[dict]:
        """Answers that together have a row for each molecule, in their order."""
        async with self._allowed:
            response = await self._post(smiles)
        if response.status_code == httpx.codes.OK:
            return [_rows(response, len(smiles))]
        if response.status_code not in HALVE:
            raise PredictError(f"{response.url} answered {response.status_code}: {_sentence(response)}")
        if len(smiles) == 1:
            return [{"predictions": [{"error": _sentence(response)}]}]
        middle = len(smiles) // 2
        return [*await self.ask(smiles[:middle]), *await self.ask(smiles[middle:])]

    async def _post(self, smiles: list[str]) -> httpx.Response:
        """The first response that is not about load, phase or network."""
        backoff = 0.5
        while True:
            asked = None
            try:
                response = await self._http.post(f"{self._server.url}/predict", json={"smiles": smiles})
                if response.status_code not in AGAIN:
                    self._answered = time.monotonic()
                    return response
                why = f"{response.status_code}: {_sentence(response)}"
                asked = _retry_after(response)
            except httpx.TransportError as error:
                why = str(error) or type(error).__name__
                if "CERTIFICATE_VERIFY_FAILED" in why:
                    raise PredictError(f"{self._server.url}: {why}; give its authority by --ca-file") from error
            # By chance a little shorter, so that lists that were refused together do not come back together.
            wait = backoff * random.uniform(0.5, 1) if asked is None else asked
            if time.monotonic() + wait > self._answered + self._server.patience:
                raise PredictError(
                    f"{self._server.url} has not answered for {self._server.patience:g} s, the last time because of "
                    f"{why}. If it is overloaded, ask for less at once by --batch and --parallel"
                )
            self._waiting(why)
            await asyncio.sleep(wait)
            backoff = min(2 * backoff, LONGEST_WAIT)


def credentials(file: Path | None) -> dict[str, str]:
    """The header for a key or a token; none without a file."""
    if file is None:
        return {}
    try:
        key = file.read_text("ascii").strip()
    except (OSError, ValueError) as error:
        raise PredictError(f"--api-key-file {file} cannot be read: {error}") from error
    if not key or not key.isprintable():
        raise PredictError(f"--api-key-file {file} must hold one line, the key")
    return {"authorization": f"Bearer {key}"}


def trust(authority: Path | None) -> ssl.SSLContext:
    """Whose certificates are believed: those of this machine without a file."""
    try:
        return ssl.create_default_context(cafile=authority)
    except OSError as error:
        raise PredictError(f"--ca-file {authority} cannot be read as certificates in PEM: {error}") from error


def _rows(response: httpx.Response, expected: int) -> dict:
    try:
        answer = response.json()
        rows, _ = answer["predictions"], (answer["model"], answer["version"], answer["digest"])
        if len(rows) == expected and all(("prediction" in row) != ("error" in row) for row in rows):
            return answer
    except (ValueError, KeyError, TypeError):
        pass
    raise PredictError(f"{response.url} does not answer as a ChemModel does; is --url right?")


def _sentence(response: httpx.Response) -> str:
    """Why there is no prediction, in the words of the server or of what stands before it."""
    try:
        return str(response.json()["error"])
    except (ValueError, KeyError, TypeError):
        return response.reason_phrase


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds, as the server says them; the date that a proxy may say instead is not understood."""
    seconds = response.headers.get("retry-after", "")
    return float(seconds) if seconds.isdecimal() else None
