"""What KServe's servers say of themselves and their models, and what changes them; Triton's extensions, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from penstock.apis.api import Route
from penstock.apis.calls.fields import BOOL, INT, LIST, OBJECT, STRING, Types
from penstock.apis.calls.turns import Turns
from penstock.apis.kserve.errors import KSERVE
from penstock.apis.kserve.reply import numbers
from penstock.apis.kserve.tensors import MAX_DIMENSIONS
from penstock.apis.kserve.values import SHARED
from penstock.apis.orders import Order, OrderReader, Orders
from penstock.apis.replies.pieces import Holder, Reading, Walk
from penstock.exchange import Call, Encoding, Json, JsonObject, Operation, Path

_MODELS: Final = ("/v2/models/{model}", "/v2/models/{model}/versions/{version}")
_SERVED: Final = ("/v1/models/{model}/versions/{version}", "/v1/models/{model}/labels/{label}")
_REPOSITORIES: Final = ("/v2/repository", "/v2/repository/{repository}")
_LOGS: Final[Mapping[str, Types]] = {
    "log_file": STRING,
    "log_info": BOOL,
    "log_warning": BOOL,
    "log_error": BOOL,
    "log_verbose_level": INT,
    "log_format": STRING,
}
_TRACES: Final[Mapping[str, Types]] = {
    "trace_file": STRING,
    "trace_level": STRING | LIST,
    "trace_rate": STRING,
    "trace_count": STRING,
    "log_frequency": STRING,
    "trace_mode": STRING,
}
# Keys of an order's `parameters` that a grant must name; `files` stands for every `file:PATH`.
_FILE: Final = "file:"
_FILES: Final = "files"


class _Order(Order):
    """An order whose body may come without a Content-Type: Triton's clients send none."""

    __slots__ = ()

    @property
    def bodies(self) -> tuple[Encoding, ...]:
        return ("tensors",) if self.method == "POST" else ()


def _told() -> list[Order]:
    """What is only asked."""
    return [
        _Order("GET", "/v2", Operation.HEALTH),
        _Order("GET", "/v2/health/live", Operation.HEALTH),
        _Order("GET", "/v2/health/ready", Operation.HEALTH),
        _Order("GET", "/v2/models/stats", Operation.METRICS),
        *(_Order("GET", path, Operation.SHOW) for path in _MODELS),
        *(_Order("GET", f"{path}/ready", Operation.HEALTH) for path in _MODELS),
        *(_Order("GET", f"{path}/config", Operation.SHOW) for path in _MODELS),
        *(_Order("GET", f"{path}/stats", Operation.METRICS) for path in _MODELS),
        *(_Order("POST", f"{path}/index", Operation.LIST, {"ready": BOOL}, optional=True) for path in _REPOSITORIES),
        # TensorFlow Serving, whose paths OpenVINO Model Server has as well.
        *(_Order("GET", path, Operation.SHOW) for path in _SERVED),
        *(_Order("GET", f"{path}/metadata", Operation.SHOW) for path in ("/v1/models/{model}", *_SERVED)),
    ]


def _changed() -> list[Order]:
    """What changes models, or the server."""
    return [
        *(
            _Order("POST", f"{path}/models/{{model}}/{verb}", operation, {"parameters": OBJECT}, optional=True)
            for path in _REPOSITORIES
            for verb, operation in (("load", Operation.LOAD), ("unload", Operation.UNLOAD))
        ),
        _Order("GET", "/v2/logging", Operation.SHOW),
        _Order("POST", "/v2/logging", Operation.CONFIGURE, _LOGS, unusual=("log_file",)),
        *(_Order("GET", path, Operation.SHOW) for path in ("/v2/trace/setting", "/v2/models/{model}/trace/setting")),
        *(
            _Order("POST", path, Operation.CONFIGURE, _TRACES, unusual=("trace_file",))
            for path in ("/v2/trace/setting", "/v2/models/{model}/trace/setting")
        ),
    ]


def _memory(kind: str, takes: Mapping[str, Types]) -> list[Order]:
    """The orders of one kind of shared memory."""
    base = f"/v2/{kind}sharedmemory"
    return [
        *(_Order("GET", f"{base}{path}", Operation.SHOW) for path in ("/status", "/region/{name}/status")),
        _Order("POST", f"{base}/region/{{name}}/register", Operation.CONFIGURE, takes),
        *(
            _Order("POST", f"{base}{path}", Operation.CONFIGURE)
            for path in ("/unregister", "/region/{name}/unregister")
        ),
    ]


class _ModelWalk(Walk):
    """Walks what is said of models: shapes are lists of few numbers."""

    def value(self, reading: Reading, holder: Holder, key: str | int, index: int, path: Path, *, strip: bool) -> None:
        value: Json = holder[key]  # type: ignore[index]
        few = isinstance(value, list) and len(value) <= MAX_DIMENSIONS and numbers(value) is not None
        super().value(reading, holder, key, index, path, strip=strip and not few)


class ModelReader(OrderReader):
    """What a server says of models, with the shapes of their tensors."""

    def __init__(self) -> None:
        super().__init__(KSERVE)
        self._walk = _ModelWalk(metadata=True)


class Repository(Orders):
    """Triton's model repository, shared memory and settings.

    What a load brings with it (a configuration, files of the model) are parameters of their own, `config` and `files`.
    """

    def call(self, route: Route, path: str, body: JsonObject | None) -> Call:
        made = super().call(route, path, body)
        inner = made.parameters.get("parameters")
        found = {name: value for name, value in made.parameters.items() if name != "parameters"}
        more = {name: value for name, value in (inner if isinstance(inner, dict) else {}).items() if value is not False}
        own: dict[str, Json] = {_FILES if name.startswith(_FILE) else name: value for name, value in more.items()}
        uninspected = {*made.uninspected, SHARED} if "sharedmemory/" in route.path else made.uninspected
        return replace(
            made,
            parameters={**found, **own},
            unusual=(made.unusual - {"parameters"}) | own.keys(),
            uninspected=tuple(sorted(uninspected)),
        )

    def reader(self, call: Call) -> OrderReader:
        return ModelReader()

    def read(self, order: Order, turns: Turns, key: str, role: str, value: Json) -> None:
        if key != "parameters" or not isinstance(value, dict):
            return super().read(order, turns, key, role, value)
        for name, inner in value.items():
            if name.startswith(_FILE):
                turns.uninspected.add("file")
            else:
                turns.everything("other", inner, (key, name))
        return None


KSERVE_MODELS: Final = Repository(
    "kserve.models",
    KSERVE,
    [
        *_told(),
        *_changed(),
        *_memory("system", {"key": STRING, "offset": INT, "byte_size": INT}),
        *_memory("cuda", {"raw_handle": OBJECT, "device_id": INT, "byte_size": INT}),
    ],
)
