"""A model for Triton's Python backend, which `triton_server` copies into a model repository for Triton's own Python.

`echo` says each of its texts again, with its length and a score; `teller` gives a
canned answer, some letters a response.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import triton_python_backend_utils as backend  # type: ignore[import-not-found]

LETTERS = 5
"""Letters of each response of a stream."""


class TritonPythonModel:
    """What the Python backend looks for."""

    def initialize(self, args: dict[str, str]) -> None:
        self.name = args["model_name"]
        settings: dict[str, Any] = json.loads(args["model_config"])["parameters"]
        self.answer = settings.get("answer", {}).get("string_value", "")

    def execute(self, requests: list[Any]) -> list[Any] | None:
        if self.name == "echo":
            return [_echo(request) for request in requests]
        for request in requests:
            self._tell(request)
        return None

    def _tell(self, request: Any) -> None:
        sender = request.get_response_sender()
        asked = backend.get_input_tensor_by_name(request, "text_input").as_numpy().ravel()[0].decode()
        if "fail" in asked:
            failure = backend.TritonError(f"no answer to {asked}")
            sender.send(backend.InferenceResponse(error=failure), flags=backend.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
            return
        said = f"{self.answer} You asked: {asked}"
        streams = "at once" not in asked
        step = LETTERS if streams else len(said)
        for at in range(0, len(said), step):
            text = np.array([said[at : at + step].encode()], dtype=np.object_)
            sender.send(backend.InferenceResponse([backend.Tensor("text_output", text)]))
        sender.send(flags=backend.TRITONSERVER_RESPONSE_COMPLETE_FINAL)


def _echo(request: Any) -> Any:
    texts = backend.get_input_tensor_by_name(request, "TEXT").as_numpy()
    lengths = np.array([len(text) for text in texts.ravel()], dtype=np.int64).reshape(texts.shape)
    scores = (lengths / 8).astype(np.float32)
    return backend.InferenceResponse(
        [backend.Tensor("SAID", texts), backend.Tensor("LENGTH", lengths), backend.Tensor("SCORE", scores)]
    )
