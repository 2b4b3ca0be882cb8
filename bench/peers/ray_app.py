"""Ray Serve with its batching, asked at the replica itself (direct ingress): one hop less than through its proxy."""

import asyncio
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import ray
from network import MAX_BATCH, RUNNERS, load
from ray import serve
from starlette.requests import Request


@serve.deployment(max_ongoing_requests=1024, ray_actor_options={"num_cpus": 1})
class BoilingPoint:
    """The network in a replica."""

    def __init__(self) -> None:
        self.network = load()
        self.pool = ThreadPoolExecutor(max_workers=RUNNERS)

    @serve.batch(max_batch_size=MAX_BATCH, batch_wait_timeout_s=0.0, max_concurrent_batches=RUNNERS)
    async def predict(self, requests: list[str | list[str]]) -> list:
        """One run for all requests of a batch, beside the event loop."""
        flat = [smiles for request in requests for smiles in ([request] if isinstance(request, str) else request)]
        values = iter(await asyncio.get_running_loop().run_in_executor(self.pool, self.network.predict, flat))
        return [next(values) if isinstance(request, str) else [next(values) for _ in request] for request in requests]

    async def __call__(self, request: Request) -> dict:
        """As our server answers."""
        answer = await self.predict((await request.json())["smiles"])
        return {"prediction": answer} if isinstance(answer, float) else {"predictions": answer}


if __name__ == "__main__":
    ray.init(include_dashboard=False, num_cpus=len(os.sched_getaffinity(0)))
    serve.start(http_options={"host": "127.0.0.1", "port": int(os.environ["PROXY_PORT"]), "access_log": False})
    serve.run(BoilingPoint.bind(), route_prefix="/predict")
    signal.pause()
