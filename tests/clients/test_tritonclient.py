"""Triton's client, over HTTP and gRPC, with binary and with JSON data."""

import numpy as np
import pytest
import tritonclient.grpc as triton_grpc
import tritonclient.http as triton_http
from chemmodel_server import MODEL, Server
from tritonclient.utils import InferenceServerException

TRANSPORTS = {"http": triton_http, "grpc": triton_grpc}


@pytest.fixture(params=TRANSPORTS)
def transport(request):
    """The module of a transport."""
    return request.param, TRANSPORTS[request.param]


@pytest.fixture
def client(server: Server, transport):
    """A client, closed at the end."""
    name, module = transport
    client = module.InferenceServerClient(getattr(server, name))
    yield client
    client.close()


def column(module, smiles: list[str], shape: list[int] | None = None, **how):
    """The input."""
    tensor = module.InferInput("smiles", shape or [len(smiles)], "BYTES")
    tensor.set_data_from_numpy(np.array(smiles, dtype=object).reshape(shape or [len(smiles)]), **how)
    return tensor


def test_health_and_metadata(client, transport):
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready(MODEL) and client.is_model_ready(MODEL, "v2")
    assert not client.is_model_ready("nobody")
    as_json = {} if transport[0] == "http" else {"as_json": True}
    metadata = client.get_model_metadata(MODEL, **as_json)
    assert metadata["inputs"][0]["name"] == "smiles" and metadata["inputs"][0]["datatype"] == "BYTES"
    assert client.get_server_metadata(**as_json)["extensions"] == ["binary_tensor_data"]


def test_golden_molecules(server: Server, client, transport):
    smiles = list(server.golden)
    for shape in ([len(smiles)], [len(smiles), 1]):
        answer = client.infer(MODEL, [column(transport[1], smiles, shape)], request_id="7")
        name = client_output(client, transport)
        values = answer.as_numpy(name)
        assert list(values.shape) == shape
        np.testing.assert_allclose(values.ravel(), list(server.golden.values()), rtol=1e-4)
        get = answer.get_response()
        assert (get["id"] if transport[0] == "http" else get.id) == "7"


def test_json_data_over_http(server: Server):
    client = triton_http.InferenceServerClient(server.http)
    smiles = list(server.golden)[:8]
    name = client.get_model_metadata(MODEL)["outputs"][0]["name"]
    output = triton_http.InferRequestedOutput(name, binary_data=False)
    answer = client.infer(MODEL, [column(triton_http, smiles, binary_data=False)], outputs=[output])
    np.testing.assert_allclose(answer.as_numpy(name), [server.golden[one] for one in smiles], rtol=1e-4)
    client.close()


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_compressed_requests_and_answers(server: Server, algorithm: str):
    client = triton_http.InferenceServerClient(server.http)
    how = {"request_compression_algorithm": algorithm, "response_compression_algorithm": algorithm}
    answer = client.infer(MODEL, [column(triton_http, ["CCO"])], **how)
    assert answer.as_numpy(client.get_model_metadata(MODEL)["outputs"][0]["name"]).shape == (1,)
    client.close()


def test_errors_of_rows_and_of_requests(client, transport):
    module = transport[1]
    with pytest.raises(InferenceServerException, match=r"smiles\[1\]"):
        client.infer(MODEL, [column(module, ["CCO", "C C"])])
    outputs = [module.InferRequestedOutput(name) for name in (client_output(client, transport), "error")]
    answer = client.infer(MODEL, [column(module, ["CCO", "C C"])], outputs=outputs)
    values, errors = answer.as_numpy(outputs[0].name()), answer.as_numpy("error")
    assert np.isfinite(values[0]) and np.isnan(values[1])
    assert errors[0] == b"" and b"position 1" in errors[1]
    with pytest.raises(InferenceServerException, match="no model"):
        client.infer("nobody", [column(module, ["CCO"])])
    with pytest.raises(InferenceServerException, match="no output"):
        client.infer(MODEL, [column(module, ["CCO"])], outputs=[module.InferRequestedOutput("nothing")])


def client_output(client, transport) -> str:
    """Name of the model's output."""
    if transport[0] == "http":
        return client.get_model_metadata(MODEL)["outputs"][0]["name"]
    return client.get_model_metadata(MODEL).outputs[0].name
