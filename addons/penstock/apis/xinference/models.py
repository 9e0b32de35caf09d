"""Xinference's models: launched, registered, ended, and taken out of its cache."""

from __future__ import annotations

from typing import Final

from penstock.apis.calls.fields import BOOL, INT, LIST, NUMBER, OBJECT, STRING
from penstock.apis.dialects import OPENAI
from penstock.apis.orders import Order, Orders
from penstock.exchange import Operation

_LAUNCH: Final = {
    "model_engine": STRING,
    "model_type": STRING,
    "model_size_in_billions": NUMBER | STRING,
    "model_format": STRING,
    "quantization": STRING,
    "replica": INT,
    "n_gpu": INT | STRING,
    "gpu_idx": INT | LIST,
    "worker_ip": STRING | LIST,
    "request_limits": INT | STRING,
    "download_hub": STRING,
    "model_path": STRING,
    "model_version": STRING,
    "peft_model_config": OBJECT,
    "enable_virtual_env": BOOL,
    "virtual_env_packages": LIST,
    "envs": OBJECT,
    "enable_thinking": BOOL,
}
_QUERY: Final = {"wait_ready": BOOL}

XINFERENCE_MODELS: Final = Orders(
    "xinference.models",
    OPENAI,
    (
        # The name of a model is judged; the one that it will answer to may be any, and a grant must say which. Paths,
        # environment and packages are code that the worker runs.
        Order(
            "POST",
            "/v1/models",
            Operation.LOAD,
            _LAUNCH,
            query=_QUERY,
            unusual=(
                "model_path",
                "worker_ip",
                "peft_model_config",
                "enable_virtual_env",
                "virtual_env_packages",
                "envs",
            ),
            model=("model_name",),
            others=("model_uid",),
        ),
        Order(
            "POST",
            "/v1/models/instance",
            Operation.LOAD,
            {"model_type": STRING, "replica": INT},
            query=_QUERY,
            model=("model_name",),
            others=("model_uid", "model_version"),
            needed=False,
        ),
        Order("DELETE", "/v1/models/{model}", Operation.UNLOAD),
        Order("GET", "/anthropic/v1/models/{model}", Operation.SHOW),
        # What a registered model is made of is the caller's word: a document, as JSON in a string.
        Order(
            "POST",
            "/v1/model_registrations/{type}",
            Operation.CREATE,
            {"persist": BOOL, "worker_ip": STRING},
            texts={"model": "system"},
            unusual=("model", "worker_ip"),
        ),
        Order("DELETE", "/v1/model_registrations/{type}/{model}", Operation.DELETE),
        Order("GET", "/v1/model_registrations/{type}", Operation.LIST, query={"detailed": BOOL}),
        Order("GET", "/v1/model_registrations/{type}/{model}", Operation.SHOW),
        Order(
            "DELETE",
            "/v1/cache/models",
            Operation.DELETE,
            query={"model_version": STRING, "worker_ip": STRING},
            unusual=("worker_ip",),
            model=("model_version",),
        ),
        Order("DELETE", "/v1/clusters", Operation.CONFIGURE),
    ),
)
