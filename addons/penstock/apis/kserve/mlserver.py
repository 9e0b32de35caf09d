"""MLServer's streams of the Open Inference Protocol: the same body as `infer`, answered with several replies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from penstock.apis.api import Route
from penstock.apis.kserve.v2 import Infer, paths
from penstock.exchange import Operation


class MlServerStream(Infer):
    """`POST /v2/models/{model}[/versions/{version}]/infer_stream`, and MLServer's meaning of Triton's `generate` and
    `generate_stream`: there the body has `inputs`."""

    name = "mlserver.stream"
    routes: ClassVar[Sequence[Route]] = [
        *(Route("POST", path, Operation.INFER, bodies=("tensors",)) for path in paths("infer_stream")),
        *(
            Route("POST", path, Operation.INFER, bodies=("tensors",), marks=frozenset({"inputs"}))
            for path in paths("generate", "generate_stream")
        ),
    ]
