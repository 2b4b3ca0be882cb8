"""MLServer with a runtime of our own: the way that its documentation gives for a network that needs a tokenizer."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from mlserver import MLModel
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.types import InferenceRequest, InferenceResponse
from network import RUNNERS, load


class BoilingPoint(MLModel):
    """The network behind MLServer's adaptive batching."""

    async def load(self) -> bool:
        """Loads the network. Threads beside the event loop run it, so that requests are read in the meantime."""
        self.network = load()
        self.pool = ThreadPoolExecutor(max_workers=RUNNERS)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """One run for all requests of a batch, which MLServer joins and divides."""
        smiles = StringCodec.decode_input(payload.inputs[0])
        values = await asyncio.get_running_loop().run_in_executor(self.pool, self.network.predict, smiles)
        column = np.array(values, dtype=np.float32).reshape(-1, 1)
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("boiling_point", column)])
