"""SGLang's own endpoints: caches, memory, profiles, weights, adapters, logging, and what it says about itself.

Many of them take GET for what changes the server; those are orders all the same. Where a GET would need a body, only
POST is served (`penstock.apis.refused`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from penstock.apis.calls.fields import BOOL, INT, LIST, NUMBER, OBJECT, STRING, Types
from penstock.apis.dialects import OPENAI
from penstock.apis.orders import Order, Orders
from penstock.exchange import Operation

_CHANGE: Final = Operation.CONFIGURE
_PROFILE: Final[Mapping[str, Types]] = {
    "output_dir": STRING,
    "start_step": INT,
    "num_steps": INT | STRING,
    "activities": LIST,
    "profile_by_stage": BOOL,
    "with_stack": BOOL,
    "record_shapes": BOOL,
    "profile_id": STRING,
    "merge_profiles": BOOL,
    "profile_prefix": STRING,
    "profile_stages": LIST,
}
_GROUP: Final[Mapping[str, Types]] = {
    "master_address": STRING,
    "master_port": INT,
    "rank_offset": INT,
    "group_rank": INT,
    "ports": STRING,
    "world_size": INT,
    "group_name": STRING,
    "backend": STRING,
}
_DISTRIBUTED: Final[Mapping[str, Types]] = {
    "names": LIST,
    "name": STRING,
    "dtypes": LIST,
    "dtype": STRING,
    "shapes": LIST,
    "shape": LIST,
    "group_name": STRING,
    "flush_cache": BOOL,
    "abort_all_requests": BOOL,
    "weight_version": STRING,
    "load_format": STRING,
    "torch_empty_cache": BOOL,
}
_LORA: Final[Mapping[str, Types]] = {
    "lora_path": STRING,
    "pinned": BOOL,
    "lora_id": STRING,
    "added_tokens_config": OBJECT,
}


def _both(path: str, query: Mapping[str, Types] | None = None) -> tuple[Order, Order]:
    """An order without a body, by GET and by POST."""
    return Order("GET", path, _CHANGE, query=query or {}), Order("POST", path, _CHANGE, query=query or {})


SGLANG_SERVER: Final = Orders(
    "sglang.server",
    OPENAI,
    (
        Order("GET", "/health_generate", Operation.HEALTH),
        Order("GET", "/ready", Operation.HEALTH),
        Order("GET", "/get_model_info", Operation.LIST),
        Order("GET", "/model_info", Operation.LIST),
        # Its settings hold its own API key, which the reader empties.
        Order("GET", "/get_server_info", Operation.SHOW),
        Order("GET", "/v1/loads", Operation.METRICS, query={"include": STRING, "dp_rank": INT, "format": STRING}),
        Order("GET", "/is_scaling_elastic_ep", Operation.HEALTH),
        Order("GET", "/get_hicache_l3_cache_layout", Operation.SHOW),
        Order("GET", "/list_external_corpora", Operation.SHOW),
        Order("GET", "/hicache/storage-backend", Operation.SHOW),
        *_both("/flush_cache", {"timeout": NUMBER}),
        *_both("/freeze_gc"),
        *_both("/start_expert_distribution_record"),
        *_both("/stop_expert_distribution_record"),
        *_both("/dump_expert_distribution_record"),
        *_both("/set_trace_level", {"level": INT}),
        # vLLM has these two too.
        *_both("/stop_profile"),
        Order("GET", "/start_profile", _CHANGE),
        Order("POST", "/start_profile", _CHANGE, _PROFILE, unusual=("output_dir", "profile_prefix"), optional=True),
        # Ends requests of other callers. LMDeploy has it too.
        Order(
            "POST",
            "/abort_request",
            _CHANGE,
            {"rid": STRING, "session_id": INT, "abort_all": BOOL, "finished_reason": OBJECT, "abort_message": STRING},
            unusual=("rid", "session_id", "abort_all", "finished_reason", "abort_message"),
        ),
        Order("POST", "/pause_generation", _CHANGE, {"mode": STRING}, optional=True),
        Order("POST", "/continue_generation", _CHANGE, {"torch_empty_cache": BOOL}, optional=True),
        Order("POST", "/release_memory_occupation", Operation.UNLOAD, {"tags": LIST}, optional=True),
        Order("POST", "/resume_memory_occupation", Operation.LOAD, {"tags": LIST}, optional=True),
        Order("POST", "/slow_down", _CHANGE, {"forward_sleep_time": NUMBER}, unusual=("forward_sleep_time",)),
        # Makes the server write every caller's prompts to its disk.
        Order(
            "POST",
            "/configure_logging",
            _CHANGE,
            {
                "log_requests": BOOL,
                "log_requests_level": INT,
                "log_requests_format": STRING,
                "log_requests_target": LIST | STRING,
                "dump_requests_folder": STRING,
                "dump_requests_threshold": INT,
                "crash_dump_folder": STRING,
            },
            unusual=(
                "log_requests",
                "log_requests_level",
                "log_requests_target",
                "dump_requests_folder",
                "dump_requests_threshold",
                "crash_dump_folder",
            ),
        ),
        Order("POST", "/set_internal_state", _CHANGE, {"server_args": OBJECT}, unusual=("server_args",)),
        Order("PUT", "/set_internal_state", _CHANGE, {"server_args": OBJECT}, unusual=("server_args",)),
        Order("POST", "/pd_role_switch", _CHANGE, {"role": STRING}, unusual=("role",)),
        Order(
            "PUT",
            "/hicache/storage-backend",
            _CHANGE,
            {
                "hicache_storage_backend": STRING,
                "hicache_storage_backend_extra_config_json": STRING,
                "hicache_storage_prefetch_policy": STRING,
                "hicache_write_policy": STRING,
            },
            unusual=("hicache_storage_backend", "hicache_storage_backend_extra_config_json"),
        ),
        Order("DELETE", "/hicache/storage-backend", _CHANGE),
        Order("POST", "/hicache/storage-backend/clear", _CHANGE),
        # Text that drafts are made from, for everybody.
        Order(
            "POST",
            "/add_external_corpus",
            Operation.ADAPT,
            {"corpus_id": STRING, "file_path": STRING},
            texts={"documents": "user", "texts": "user"},
            unusual=("file_path",),
        ),
        Order("POST", "/remove_external_corpus", Operation.ADAPT, {"corpus_id": STRING}),
        # Adapters are asked for by name like models, so it is their name that a grant must allow.
        Order(
            "POST", "/load_lora_adapter", Operation.ADAPT, _LORA, unusual=("lora_path", "pinned"), model=("lora_name",)
        ),
        Order("POST", "/unload_lora_adapter", Operation.ADAPT, {"lora_id": STRING}, model=("lora_name",)),
        # Other weights under the same name: the checkpoint is the model that is judged.
        Order(
            "POST",
            "/update_weights_from_disk",
            Operation.LOAD,
            {
                "load_format": STRING,
                "abort_all_requests": BOOL,
                "weight_version": STRING,
                "is_async": BOOL,
                "torch_empty_cache": BOOL,
                "keep_pause": BOOL,
                "recapture_cuda_graph": BOOL,
                "token_step": INT,
                "flush_cache": BOOL,
                "manifest": OBJECT,
            },
            unusual=("abort_all_requests",),
            model=("model_path",),
        ),
        # LMDeploy has these four too. They make the server connect to an address of the caller's.
        Order("POST", "/init_weights_update_group", Operation.LOAD, _GROUP, unusual=("master_address", "master_port")),
        Order("POST", "/destroy_weights_update_group", Operation.LOAD, {"group_name": STRING}, optional=True),
        Order(
            "POST",
            "/update_weights_from_distributed",
            Operation.LOAD,
            _DISTRIBUTED,
            unusual=("abort_all_requests",),
        ),
        Order("POST", "/begin_weight_update", Operation.LOAD, {"weight_version": STRING}, optional=True),
        Order("POST", "/end_weight_update", Operation.LOAD, {"weight_version": STRING}, optional=True),
        Order("POST", "/weights_checker", Operation.SHOW, {"action": STRING}),
    ),
)
