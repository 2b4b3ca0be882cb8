"""KServe's own client, over REST and gRPC."""

import asyncio

import numpy as np
import pytest
from chemmodel_server import MODEL, Server
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig


def question(smiles: list[str], *, binary: bool) -> InferRequest:
    """A request for molecules."""
    tensor = InferInput("smiles", [len(smiles)], "BYTES")
    tensor.set_data_from_numpy(np.array(smiles, dtype=object), binary_data=binary)
    return InferRequest(MODEL, [tensor], request_id="7")


@pytest.mark.parametrize("binary", [False, True])
def test_rest(server: Server, binary: bool):
    async def ask():
        client = InferenceRESTClient(RESTConfig(protocol="v2"))
        base = f"http://{server.http}"
        assert await client.is_server_live(base) and await client.is_server_ready(base)
        assert await client.is_model_ready(base, MODEL)
        smiles = list(server.golden)
        answer = await client.infer(base, question(smiles, binary=binary), model_name=MODEL)
        np.testing.assert_allclose(answer.outputs[0].as_numpy(), list(server.golden.values()), rtol=1e-4)
        # The version is in the answer; this client does not read it.
        assert answer.id == "7"
        await client.close()

    asyncio.run(ask())


@pytest.mark.parametrize("binary", [False, True])
def test_grpc(server: Server, binary: bool):
    async def ask():
        client = InferenceGRPCClient(server.grpc)
        assert await client.is_server_live() and await client.is_server_ready() and await client.is_model_ready(MODEL)
        smiles = list(server.golden)
        answer = await client.infer(question(smiles, binary=binary))
        np.testing.assert_allclose(answer.outputs[0].as_numpy(), list(server.golden.values()), rtol=1e-4)
        assert answer.id == "7" and answer.model_version == "v2"
        await client.close()

    asyncio.run(ask())
