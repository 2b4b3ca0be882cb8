"""Who is compared, and how each is started: the settings are the ones that `tune` found best."""

from collections.abc import Sequence
from pathlib import Path

from measure.forms import LIST, OPEN_INFERENCE
from measure.places import BUNDLE, ONNX_RUNTIME, TARGET, WORK, python_of, server_cores
from measure.server import Server

OURS = "chemmodel-server"


def ours(*more: str, bundle: Path = BUNDLE, cores: Sequence[int] = ()) -> Server:
    """The server of this repository, as it is by default, but without its cache: the molecules of a run repeat."""
    command = (
        f"{TARGET}/chemmodel-server --bundle {bundle} --name {bundle.parent.name} --version {bundle.name} --accelerator cpu --cache-entries 0"
        " --http-address 127.0.0.1:{port} --ops-address 127.0.0.1:{ops} --grpc-address 127.0.0.1:{grpc}"
        f" --drain-seconds 0 --termination-log /dev/null --onnxruntime {ONNX_RUNTIME}"
    )
    ops = "http://127.0.0.1:{ops}"
    return Server(OURS, (*command.split(), *more), ready=f"{ops}/readyz", live=f"{ops}/livez", cores=tuple(cores or server_cores()))


def fastapi(**settings: str) -> Server:
    """One process of uvicorn."""
    command = "-m uvicorn fastapi_app:app --host 127.0.0.1 --port {port} --no-access-log --log-level warning"
    ready = "http://127.0.0.1:{port}/health"
    return Server("FastAPI", (str(python_of("fastapi")), *command.split()), ready, settings)


def mlserver(**settings: str) -> Server:
    """MLServer reads files, or the environment: the folder that it starts in has the model's settings."""
    folder = WORK / "mlserver"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model-settings.json").write_text('{"name": "boiling-point", "implementation": "mlserver_app.BoilingPoint"}')
    environment = {
        "MLSERVER_DEBUG": "false",
        "MLSERVER_HOST": "127.0.0.1",
        "MLSERVER_HTTP_PORT": "{port}",
        "MLSERVER_GRPC_PORT": "{grpc}",
        "MLSERVER_METRICS_PORT": "{metrics}",
    }
    path = "/v2/models/boiling-point"
    return Server(
        "MLServer",
        (str(python_of("mlserver").parent / "mlserver"), "start", "."),
        ready="http://127.0.0.1:{port}" + path + "/ready",
        environment=environment | settings,
        path=path + "/infer",
        form=OPEN_INFERENCE,
        directory=folder,
    )


def bentoml(**settings: str) -> Server:
    """Production mode. Its dispatcher lets a lone request wait as long as requests did under the load before, for many
    seconds after a flood: so it is started anew for each cell."""
    command = "serve bentoml_app:BoilingPoint --host 127.0.0.1 --port {port}"
    environment = {"BENTOML_DO_NOT_TRACK": "true", "BENTOML_HOME": str(WORK / "bentoml")}
    ready = "http://127.0.0.1:{port}/readyz"
    return Server(
        "BentoML",
        (str(python_of("bentoml").parent / "bentoml"), *command.split()),
        ready=ready,
        environment=environment | settings,
        form=LIST,
        fresh=True,
    )


def litserve(**settings: str) -> Server:
    """One process of HTTP and one for each runner."""
    ready = "http://127.0.0.1:{port}/health"
    return Server("LitServe", (str(python_of("litserve")), "litserve_app.py"), ready, settings)


def ray_serve(**settings: str) -> Server:
    """One replica, asked directly."""
    environment = {
        "PROXY_PORT": "{ops}",
        "RAY_AUTH_MODE": "disabled",
        "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT": "{port}",
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    command = (str(python_of("ray")), "ray_app.py")
    return Server("Ray Serve", command, "http://127.0.0.1:{port}/-/healthz", environment | settings)


def echo_ours() -> Server:
    """The request path alone: our HTTP, tokenizer, queue and batcher, without a network."""
    command = (str(TARGET / "echo-server"), "--bundle", str(BUNDLE), "--address", "127.0.0.1:{port}")
    return Server("echo chemmodel-server", command, "http://127.0.0.1:{port}/v2/health/ready")


def echo_fastapi() -> Server:
    """The same of FastAPI."""
    server = fastapi(ENGINE="echo", MAX_BATCH="256", MAX_RUN="256")
    return Server("echo FastAPI", server.command, server.ready, server.environment)


def all_servers() -> list[Server]:
    """We first, then the peers with the settings that were best for them. The peers queue without a limit; 64
    connections with 32 molecules each are 2048, which our queue would refuse in part as it is by default."""
    runners = str(len(server_cores()))
    return [
        ours("--max-queue-items", "8192"),
        fastapi(RUNNERS=runners, MAX_BATCH="16"),
        mlserver(RUNNERS=runners, **mlserver_batches("16")),
        bentoml(THREADS=runners, MAX_BATCH="16"),
        litserve(RUNNERS=runners, MAX_BATCH="16"),
        ray_serve(RUNNERS=runners, MAX_BATCH="16"),
    ]


def mlserver_batches(requests: str, wait: str = "0.001", workers: str = "0") -> dict[str, str]:
    """Its adaptive batching waits so many seconds for so many requests. Without workers the server's own process infers."""
    return {
        "MLSERVER_PARALLEL_WORKERS": workers,
        "MLSERVER_MODEL_MAX_BATCH_SIZE": requests,
        "MLSERVER_MODEL_MAX_BATCH_TIME": wait,
    }
