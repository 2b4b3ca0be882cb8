"""Which settings are best for a peer on this machine. Its authors' defaults are for other machines, and a comparison
with a badly set one shows nothing. What this prints is what `servers.py` should say."""

from statistics import median

from measure import bodies, load
from measure.check import check
from measure.places import server_cores
from measure.server import Server
from measure.servers import bentoml, fastapi, litserve, mlserver, mlserver_batches, ray_serve

ASKED = ((1, 1), (1, 64), (32, 8))
"""Molecules a request, and connections."""
TOLD = (
    *("THREADS", "RUNNERS", "MAX_BATCH", "MAX_RUN", "WORKERS", "WEB_CONCURRENCY", "FAST_QUEUE", "BATCH_WAIT"),
    *("MLSERVER_PARALLEL_WORKERS", "MLSERVER_MODEL_MAX_BATCH_SIZE", "MLSERVER_MODEL_MAX_BATCH_TIME"),
)

# One inference on all cores of the server, or as many beside each other; on one core that is the same.
CORES = str(len(server_cores()))
WIDE, BESIDE = {"THREADS": CORES, "RUNNERS": "1"}, {"THREADS": "1", "RUNNERS": CORES}
SHAPES = [WIDE, BESIDE] if WIDE != BESIDE else [WIDE]
# Requests together, and molecules in one run: mixed lengths are padded to the longest, so more is not always better.
SIZES = ({"MAX_BATCH": "16", "MAX_RUN": "16"}, {"MAX_BATCH": "64", "MAX_RUN": "16"}, {"MAX_BATCH": "64", "MAX_RUN": "64"})


def variants() -> list[Server]:
    """Every peer with every setting that could be its best: of threads, of batches, and with more processes."""
    both = [shape | size for shape in SHAPES for size in SIZES]
    of_mlserver = [
        {"THREADS": one["THREADS"], "RUNNERS": one["RUNNERS"], "MAX_RUN": one["MAX_RUN"]} | mlserver_batches(one["MAX_BATCH"])
        for one in both
    ]
    return [
        *(fastapi(**one) for one in (*both, SIZES[0] | {"WEB_CONCURRENCY": "2"})),
        *(mlserver(**one) for one in (*of_mlserver, WIDE | mlserver_batches("16", workers="1"))),
        *(mlserver(**BESIDE, **mlserver_batches("16", wait=wait)) for wait in ("0.0001", "0.003")),
        *(bentoml(**one) for size in SIZES for one in (WIDE | size, size | {"WORKERS": "2"})),
        *(litserve(**one) for one in (*both, BESIDE | SIZES[0] | {"FAST_QUEUE": "0"}, BESIDE | SIZES[0] | {"BATCH_WAIT": "0.003"})),
        *(ray_serve(**one) for one in both),
    ]


def tune(rounds: int, seconds: float, names: set[str]) -> None:
    """Prints a line for each: molecules a second, and the p50 of one molecule alone."""
    for server in variants():
        if names and server.name not in names:
            continue
        rates: dict[tuple[int, int], list[float]] = {}
        alone = []
        running = server.start()
        try:
            check(running)
            for number in range(rounds + 1):
                for items, connections in ASKED:
                    seen = load.closed(running.url, bodies.path(server.form, items), connections, seconds)
                    # The first round is for warming up.
                    if number:
                        rates.setdefault((items, connections), []).append(seen.rate * items)
                        alone += [seen.p50] * (connections == 1)
        finally:
            running.process.stop()
        figures = "  ".join(f"{items}×{connections}: {median(rates[items, connections]):6.0f}/s" for items, connections in ASKED)
        settings = " ".join(
            f"{name.removeprefix('MLSERVER_').removeprefix('MODEL_')}={server.environment[name]}"
            for name in TOLD
            if name in server.environment
        )
        print(f"{server.name:10} {settings:60} {figures}  p50 {median(alone):6.2f} ms", flush=True)
