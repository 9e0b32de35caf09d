"""What Triton's own client makes of the gateway; runs in Triton's environment and prints JSON, a line an answer.

The orders are lines of JSON on standard input: `{"do": NAME, ...}`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput  # type: ignore[import-not-found]
from tritonclient.utils import InferenceServerException  # type: ignore[import-not-found]


def main(address: str, token: str) -> None:
    client = InferenceServerClient(address)
    headers = {"Authorization": f"Bearer {token}"}
    for line in sys.stdin:
        order = json.loads(line)
        try:
            answer: Any = DO[order.pop("do")](client, headers, **order)
        except InferenceServerException as error:
            answer = {"raised": error.message(), "status": error.status()}
        print(json.dumps(answer), flush=True)


def infer(
    client: Any,
    headers: dict[str, str],
    texts: list[str],
    *,
    binary: bool = True,
    named: bool = True,
    model: str = "echo",
) -> Any:
    """Texts there and back: in the form that was asked for, with outputs by name or all of them."""
    given = InferInput("TEXT", [len(texts)], "BYTES")
    given.set_data_from_numpy(np.array([text.encode() for text in texts], dtype=np.object_), binary_data=binary)
    names = ("SAID", "SCORE")
    outputs = [InferRequestedOutput(name, binary_data=binary) for name in names] if named else None
    result = client.infer(model, [given], outputs=outputs, headers=headers)
    found = result.as_numpy("SAID").tolist()
    said = [text.decode() if isinstance(text, bytes) else text for text in found]
    kinds = sorted({type(text).__name__ for text in found})
    return {"said": said, "kinds": kinds, "score": result.as_numpy("SCORE").tolist()}


def noise(client: Any, headers: dict[str, str]) -> Any:
    """Bytes that are no text."""
    given = InferInput("TEXT", [2], "BYTES")
    given.set_data_from_numpy(np.array([b"\xff\xfe", b"mail bob@example.org"], dtype=np.object_), binary_data=True)
    result = client.infer("echo", [given], headers=headers)
    said = [text.decode("latin-1") for text in result.as_numpy("SAID").tolist()]
    return {"said": said, "length": result.as_numpy("LENGTH").tolist()}


DO: dict[str, Callable[..., Any]] = {
    "infer": infer,
    "noise": noise,
    "ready": lambda client, headers, model: client.is_model_ready(model, headers=headers),
    "server": lambda client, headers: client.get_server_metadata(headers=headers),
    "model": lambda client, headers: client.get_model_metadata("echo", headers=headers),
    "config": lambda client, headers: client.get_model_config("echo", headers=headers),
    "index": lambda client, headers: client.get_model_repository_index(headers=headers),
    "load": lambda client, headers, **more: client.load_model("echo", headers=headers, **more),
    "unload": lambda client, headers: client.unload_model("echo", headers=headers),
    "memory": lambda client, headers: client.register_system_shared_memory("mine", "/mine", 64, headers=headers),
}

if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
