"""vLLM's own endpoints: adapters, sleep, pause, caches, profiles, weights and scale, and what it says about itself."""

from __future__ import annotations

from typing import Final

from penstock.apis.calls.fields import BOOL, INT, LIST, NUMBER, OBJECT, STRING
from penstock.apis.dialects import OPENAI
from penstock.apis.orders import Order, Orders
from penstock.exchange import Operation

_CHANGE: Final = Operation.CONFIGURE
_ABORT: Final = {"request_ids": LIST | STRING}

VLLM_SERVER: Final = Orders(
    "vllm.server",
    OPENAI,
    (
        Order("POST", "/ping", Operation.HEALTH),
        Order("GET", "/load", Operation.METRICS),
        Order("GET", "/kv_event_sources", Operation.SHOW),
        # The chat template among others; off unless the server was told.
        Order("GET", "/tokenizer_info", Operation.SHOW),
        # SGLang has it too. Its settings hold its own API key, which the reader empties.
        Order("GET", "/server_info", Operation.SHOW, query={"config_format": STRING}),
        # Adapters are asked for by name like models, so it is their name that a grant must allow.
        Order(
            "POST",
            "/v1/load_lora_adapter",
            Operation.ADAPT,
            {"lora_path": STRING, "load_inplace": BOOL, "is_3d_lora_weight": BOOL},
            unusual=("lora_path", "load_inplace"),
            model=("lora_name",),
        ),
        Order(
            "POST",
            "/v1/unload_lora_adapter",
            Operation.ADAPT,
            {"lora_int_id": INT},
            unusual=("lora_int_id",),
            model=("lora_name",),
        ),
        # SageMaker's names for the same.
        Order(
            "POST",
            "/adapters",
            Operation.ADAPT,
            {"src": STRING, "preload": BOOL, "pin": BOOL},
            unusual=("src", "pin"),
            model=("name",),
        ),
        Order("DELETE", "/adapters/{model}", Operation.ADAPT),
        # Puts the engine to sleep, and wakes it, for everybody. LMDeploy has /sleep too.
        Order("POST", "/sleep", Operation.UNLOAD, query={"level": INT, "mode": STRING}),
        Order("POST", "/wake_up", Operation.LOAD, query={"tags": STRING}),
        Order("GET", "/is_sleeping", Operation.HEALTH),
        Order("GET", "/is_paused", Operation.HEALTH),
        Order(
            "POST",
            "/pause",
            _CHANGE,
            query={"mode": STRING, "wait_for_inflight_requests": BOOL, "clear_cache": BOOL},
        ),
        Order("POST", "/resume", _CHANGE),
        Order("POST", "/reset_prefix_cache", _CHANGE, query={"reset_running_requests": BOOL, "reset_external": BOOL}),
        Order("POST", "/reset_mm_cache", _CHANGE),
        Order("POST", "/reset_encoder_cache", _CHANGE),
        Order("POST", "/release_kv_cache_memory", _CHANGE, query={"level": INT}),
        # Ends requests of other callers.
        Order("POST", "/abort_requests", _CHANGE, _ABORT, unusual=("request_ids",), optional=True),
        Order("POST", "/inference/v1/abort_requests", _CHANGE, _ABORT, unusual=("request_ids",), optional=True),
        Order(
            "POST",
            "/scale_elastic_ep",
            _CHANGE,
            {"new_data_parallel_size": INT, "drain_timeout": NUMBER},
            unusual=("new_data_parallel_size",),
            optional=True,
        ),
        Order("POST", "/is_scaling_elastic_ep", Operation.HEALTH),
        Order("GET", "/fault_tolerance/status", Operation.HEALTH),
        Order(
            "POST",
            "/fault_tolerance/apply",
            _CHANGE,
            {
                "fault_tolerance_instruction": STRING,
                "fault_tolerance_timeout": NUMBER,
                "fault_tolerance_params": OBJECT,
            },
            unusual=("fault_tolerance_instruction", "fault_tolerance_params"),
        ),
        # Other weights under the same name. They come by a channel of their own (NCCL, shared memory), unseen here.
        Order("GET", "/get_world_size", Operation.SHOW, query={"include_dp": BOOL}),
        Order("GET", "/weight_info", Operation.SHOW),
        Order("POST", "/init_weight_transfer_engine", Operation.LOAD, {"init_info": OBJECT}, unusual=("init_info",)),
        Order("POST", "/shutdown_weight_transfer_engine", Operation.LOAD),
        Order("POST", "/start_weight_update", Operation.LOAD, {"is_checkpoint_format": BOOL}, optional=True),
        Order("POST", "/start_draft_weight_update", Operation.LOAD, {"is_checkpoint_format": BOOL}, optional=True),
        # LMDeploy takes serialised tensors here: keys that nobody knows, which a grant must name.
        Order("POST", "/update_weights", Operation.LOAD, {"update_info": OBJECT}, unusual=("update_info",)),
        Order("POST", "/finish_weight_update", Operation.LOAD),
        # SGLang has it too.
        Order(
            "POST",
            "/update_weight_version",
            _CHANGE,
            {"new_version": STRING, "weight_version": STRING, "abort_all_requests": BOOL},
            unusual=("abort_all_requests",),
        ),
        Order("POST", "/weight_checker", Operation.SHOW, {"action": STRING}),
    ),
)
