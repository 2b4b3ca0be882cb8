"""FastAPI, ONNX Runtime and tokenizers, written as well as one can: threads beside the event loop run the network, and
each takes whatever has queued while it was busy. Nobody waits for a batch to fill."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from fastapi import FastAPI
from network import MAX_BATCH, RUNNERS, load
from pydantic import BaseModel


class Question(BaseModel):
    """One molecule or many."""

    smiles: str | list[str]


class Batcher:
    """A queue of single molecules, and the threads that run the network for them and for lists."""

    def __init__(self) -> None:
        self.network = load()
        self.pool = ThreadPoolExecutor(max_workers=RUNNERS)
        self.waiting: deque[tuple[str, asyncio.Future[float]]] = deque()
        self.idle = RUNNERS
        self.tasks: set[asyncio.Task[None]] = set()

    async def one(self, smiles: str) -> float:
        """Answers when a run that has this molecule is done."""
        answer: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.waiting.append((smiles, answer))
        if self.idle:
            self.idle -= 1
            task = asyncio.create_task(self._drain())
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        return await answer

    async def many(self, smiles: list[str]) -> list[float]:
        """A list is a batch already."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, self.network.predict, smiles)

    async def _drain(self) -> None:
        while self.waiting:
            batch = [self.waiting.popleft() for _ in range(min(MAX_BATCH, len(self.waiting)))]
            try:
                values = await self.many([smiles for smiles, _ in batch])
            except Exception as why:
                for _, answer in batch:
                    if not answer.done():
                        answer.set_exception(why)
                continue
            for (_, answer), value in zip(batch, values, strict=True):
                if not answer.done():
                    answer.set_result(value)
        self.idle += 1


batcher: Batcher


@asynccontextmanager
async def life(_: FastAPI) -> AsyncIterator[None]:
    """Loads the network before the first request."""
    global batcher
    batcher = Batcher()
    yield


app = FastAPI(lifespan=life)


@app.post("/predict")
async def predict(question: Question) -> dict[str, float | list[float]]:
    """Answers one molecule through the queue, many in one run."""
    if isinstance(question.smiles, str):
        return {"prediction": await batcher.one(question.smiles)}
    return {"predictions": await batcher.many(question.smiles)}


@app.get("/health")
async def health() -> dict[str, str]:
    """Answers as soon as the network is loaded."""
    return {"status": "ok"}
