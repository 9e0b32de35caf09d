"""Models for MLServer, copied beside their settings by `mlserver_server`; they run in MLServer's own Python.

`Echo` says each of its texts again, with its length and a score; as a stream it gives a canned answer, some letters a
response.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from mlserver import MLModel  # type: ignore[import-not-found]
from mlserver.codecs import StringCodec  # type: ignore[import-not-found]
from mlserver.types import InferenceRequest, InferenceResponse, ResponseOutput  # type: ignore[import-not-found]

LETTERS = 5
"""Letters of each response of a stream."""


class Echo(MLModel):  # type: ignore[misc]
    """What MLServer looks for."""

    async def load(self) -> bool:
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        texts = [str(text) for text in StringCodec.decode_input(payload.inputs[0])]
        lengths = [len(text) for text in texts]
        return self._said(
            StringCodec.encode_output("SAID", texts),
            ResponseOutput(name="LENGTH", shape=[len(texts)], datatype="INT64", data=lengths),
            ResponseOutput(name="SCORE", shape=[len(texts)], datatype="FP32", data=[size / 8 for size in lengths]),
        )

    async def predict_stream(self, payloads: AsyncIterator[InferenceRequest]) -> AsyncIterator[InferenceResponse]:
        async for payload in payloads:
            asked = " ".join(str(text) for text in StringCodec.decode_input(payload.inputs[0]))
            said = f"{self.settings.parameters.extra['answer']} You asked: {asked}"
            for at in range(0, len(said), LETTERS):
                yield self._said(StringCodec.encode_output("SAID", [said[at : at + LETTERS]]))

    def _said(self, *outputs: Any) -> InferenceResponse:
        return InferenceResponse(model_name=self.name, model_version=self.version, outputs=list(outputs))
