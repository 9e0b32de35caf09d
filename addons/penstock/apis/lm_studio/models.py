"""LM Studio's models: which there are, and downloading, loading and unloading them."""

from __future__ import annotations

from typing import Final

from penstock.apis.calls.fields import BOOL, INT, NUMBER, STRING
from penstock.apis.dialects import OPENAI
from penstock.apis.orders import Order, Orders
from penstock.exchange import Operation

LM_STUDIO_MODELS: Final = Orders(
    "lm_studio.models",
    OPENAI,
    (
        Order("GET", "/api/v1/models", Operation.LIST),
        Order("GET", "/api/v0/models", Operation.LIST),
        Order("GET", "/api/v0/models/{model}", Operation.SHOW),
        Order(
            "POST",
            "/api/v1/models/load",
            Operation.LOAD,
            {
                "context_length": INT,
                "eval_batch_size": INT,
                "flash_attention": BOOL,
                "num_experts": INT,
                "offload_kv_cache_to_gpu": BOOL,
                "echo_load_config": BOOL,
                "ttl": NUMBER,
            },
            model=("model",),
        ),
        # An instance has the name of its model, with a number behind it when there are several.
        Order("POST", "/api/v1/models/unload", Operation.UNLOAD, model=("instance_id",)),
        # A catalogue's name, or the address of a repository.
        Order("POST", "/api/v1/models/download", Operation.PULL, {"quantization": STRING}, model=("model",)),
        Order("GET", "/api/v1/models/download/status", Operation.LIST, query={"job_id": STRING}),
        Order("GET", "/api/v1/models/download/status/{id}", Operation.LIST),
    ),
)
