"""tabbyAPI's own endpoints: the model that it holds, its adapters, templates and sampling presets."""

from __future__ import annotations

from typing import Final

from penstock.apis.calls.fields import BOOL, INT, LIST, NUMBER, OBJECT, STRING
from penstock.apis.dialects import OPENAI
from penstock.apis.orders import Order, Orders
from penstock.exchange import Operation

_LISTS: Final = (
    "/v1/model/list",
    "/v1/model/draft/list",
    "/v1/model/embedding/list",
    "/v1/lora/list",
    "/v1/template/list",
    "/v1/sampling/override/list",
    "/v1/loras",
    "/v1/templates",
    "/v1/sampling/overrides",
    "/v1/model",
    "/v1/model/embedding",
    "/v1/lora",
)

TABBY_SERVER: Final = Orders(
    "tabby.server",
    OPENAI,
    (
        *(Order("GET", path, Operation.LIST) for path in _LISTS),
        # It holds one model for everybody, and streams how far it is with loading another.
        Order(
            "POST",
            "/v1/model/load",
            Operation.LOAD,
            {
                "backend": STRING,
                "max_seq_len": INT,
                "cache_size": INT,
                "cache_mode": STRING,
                "tensor_parallel": BOOL,
                "tensor_parallel_backend": STRING,
                "gpu_split_auto": BOOL,
                "autosplit_reserve": LIST,
                "gpu_split": LIST,
                "rope_scale": NUMBER,
                "rope_alpha": NUMBER | STRING,
                "chunk_size": INT,
                "output_chunking": BOOL,
                "prompt_template": STRING,
                "vision": BOOL,
                "draft_model": OBJECT,
                "skip_queue": BOOL,
            },
            unusual=("prompt_template", "draft_model", "skip_queue"),
            model=("model_name", "name"),
        ),
        Order("POST", "/v1/model/unload", Operation.UNLOAD),
        Order(
            "POST",
            "/v1/model/embedding/load",
            Operation.LOAD,
            {"embeddings_device": STRING},
            model=("embedding_model_name", "name"),
        ),
        Order("POST", "/v1/model/embedding/unload", Operation.UNLOAD),
        Order(
            "POST",
            "/v1/download",
            Operation.PULL,
            {
                "repo_type": STRING,
                "folder_name": STRING,
                "revision": STRING,
                "include": LIST,
                "exclude": LIST,
                "chunk_limit": INT,
                "timeout": INT,
            },
            unusual=("folder_name",),
            model=("repo_id",),
        ),
        Order(
            "POST",
            "/v1/lora/load",
            Operation.ADAPT,
            {"loras": LIST, "skip_queue": BOOL},
            unusual=("loras", "skip_queue"),
        ),
        Order("POST", "/v1/lora/unload", Operation.ADAPT),
        # What every caller's messages are put into, and how every caller's answers are drawn.
        Order("POST", "/v1/template/switch", Operation.CONFIGURE, {"prompt_template_name": STRING, "name": STRING}),
        Order("POST", "/v1/template/unload", Operation.CONFIGURE),
        Order(
            "POST",
            "/v1/sampling/override/switch",
            Operation.CONFIGURE,
            {"preset": STRING, "overrides": OBJECT},
            unusual=("overrides",),
        ),
        Order("POST", "/v1/sampling/override/unload", Operation.CONFIGURE),
    ),
)
