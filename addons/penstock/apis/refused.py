"""Endpoints that are known and refused on purpose, each with the reason that callers are told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from penstock.apis.api import pattern

ANY: Final = "*"
_BELOW: Final = "/…"


@dataclass(frozen=True, slots=True)
class Closed:
    """A method (`*`: every one) and a path that nobody gets, and why.

    The path may have `{name}` for a segment or a part of one; `/…` at its end is the path itself and all below it.
    """

    method: str
    path: str
    reason: str

    def matches(self, method: str, path: str) -> bool:
        return self.method in (ANY, method) and self.paths.fullmatch(path) is not None

    @property
    def paths(self) -> re.Pattern[str]:
        """The paths that are meant."""
        return _below(self.path.removesuffix(_BELOW)) if self.path.endswith(_BELOW) else pattern(self.path)


def _below(path: str) -> re.Pattern[str]:
    return re.compile(f"{pattern(path).pattern}(?:/.*)?")


def _all(reason: str, *places: str) -> tuple[Closed, ...]:
    """Places, as `METHOD path`, that are closed for one reason."""
    pairs = (place.split(" ") for place in places)
    return tuple(Closed(method, path, reason) for method, path in pairs)


REFUSED: Final[tuple[Closed, ...]] = (
    *_all(
        "it runs tools on the model server: files, programs, a shell.", "* /tools/…", "* /v1/agents/…", "* /agents/…"
    ),
    *_all("it fetches any address from inside the model server's network.", "* /cors-proxy", "* /api/cors-proxy"),
    *_all(
        "what is searched and read leaves this network, and what comes back is nobody's answer.",
        "* /api/experimental/web_search",
        "* /api/experimental/web_fetch",
        "* /api/web_search",
        "* /api/web_fetch",
    ),
    *_all(
        "several conversations in one call cannot be granted and held one by one; send them one by one.",
        "* /v1/chat/completions/batch",
    ),
    *_all("it calls any function of the engine by name.", "* /collective_rpc", "* /dumper/{method}", "* /run_rpc"),
    *_all("MCP tools act outside the model, where nothing of theirs is judged.", "* /mcp/…", "* /v1/mcp/…"),
    *_all(
        "it installs programs on the model server.", "* /backends/…", "POST /models/import", "POST /models/edit/{model}"
    ),
    *_all("it changes the server's own settings, its keys among them.", "* /api/settings/…", "* /api/p2p/…"),
    *_all(
        "accounts and keys of the model server are its operator's, not a caller's.",
        "* /api/me",
        "* /api/signout",
        "* /api/user/…",
        "* /token/…",
        "* /v1/auth/…",
        "* /v1/admin/…",
        "* /v1/organization/…",
        "* /v1/projects/…",
        "* /v1/api_keys/…",
    ),
    *_all(
        "it is documentation, which the server's makers publish.",
        "* /docs/…",
        "* /redoc/…",
        "* /swagger/…",
        "* /openapi.json",
        "* /api-doc/…",
        "* /v2/docs/…",
        "* /v2/models/{model}/docs/…",
        "* /v2/models/{model}/versions/{version}/docs/…",
        "OPTIONS /",
    ),
    # What others said
    *_all("it shows what other callers are asking.", "GET /slots", "GET /v1/queue", "GET /queue"),
    *_all(
        "it shows requests and answers of other callers.",
        "* /api/traces/…",
        "* /api/backend-traces/…",
        "* /api/backend-logs/…",
        "* /ws/backend-logs/…",
        "* /v1/cluster/model-requests/…",
        "* /v1/requests/…",
        "* /v1/audit/…",
        "* /v1/launch_history/…",
    ),
    *_all(
        "it gives the text of a running answer to whoever asks, unmasked.",
        "* /api/extra/generate/check",
        "* /v1/stream/…",
        "* /v1/streams/…",
    ),
    *_all(
        "answers that the server keeps may be anybody's, and are given as they were made, unmasked.",
        "GET /v1/responses/{id}",
        "DELETE /v1/responses/{id}",
        "POST /v1/responses/{id}/cancel",
        "GET /v1/responses/{id}/input_items",
        "GET /responses/{id}",
        "DELETE /responses/{id}",
        "POST /responses/{id}/cancel",
        "GET /responses/{id}/input_items",
        "GET /v1/chat/completions/{id}",
        "DELETE /v1/chat/completions/{id}",
        "GET /v1/chat/completions/{id}/messages",
        "* /v1/conversations/…",
        "* /v1/assistants/…",
        "* /v1/threads/…",
        "GET /v1/chat/completions",
        "GET /v3/responses/{id}",
        "DELETE /v3/responses/{id}",
    ),
    *_all(
        "it keeps a conversation on the server, where later calls go on with it unread.",
        "* /open_session",
        "* /close_session",
    ),
    *_all(
        "it keeps callers' data on the server, where nothing judges who reads it.",
        "* /stores/…",
        "* /v1/vector_stores/…",
    ),
    *_all(
        "prompts in files are run later, when nobody judges them.",
        "* /v1/files/…",
        "* /v1/batches/…",
        "* /v1/uploads/…",
        "* /v1/messages/batches/…",
        "* /files/…",
        "* /batches/…",
    ),
    *_all("it trains on callers' data.", "* /v1/fine_tuning/…", "* /v1/evals/…", "* /v1/containers/…"),
    # Weights
    *_all(
        "weights come as serialised objects, which can be programs.",
        "* /update_weights_from_tensor",
        "* /update_weights_from_ipc",
        "* /load_lora_adapter_from_tensors",
    ),
    *_all(
        "it takes a model's weights out of the server.",
        "* /get_weights_by_name",
        "* /send_weights_to_remote_instance",
        "* /init_weights_send_group_for_remote_instance",
        "* /remote_instance_transfer_engine_info",
        "* /get_remote_instance_transfer_engine_info",
    ),
    # Media
    *_all(
        "voices and faces of people are kept on the server, and more can be made of them.",
        "* /api/voice-profiles/…",
        "* /v1/voice/…",
        "* /v1/face/…",
    ),
    *_all("it keeps videos on the server, which others can fetch by their ids.", "* /v1/videos/…"),
    *_all(
        "a recording goes through unread, in and out.",
        "* /audio/transform/…",
        "* /audio/transformations/…",
        "* /v1/audio/embeddings",
    ),
    *_all("it sets the model for everybody.", "POST /sdapi/v1/options"),
    # What nobody has to speak any more, and what nobody knows
    *_all(
        "OpenAI has ended it: use chat completions.",
        "POST /v1/engines/{model}/completions",
        "POST /engines/{model}/completions",
    ),
    *_all("what its body means only the model's own makers know.", "* /v1/flexible/…"),
    # What is between the servers of one cluster
    *_all("it is for the engines of a cluster among themselves.", "* /distserve/…", "* /v1/internal/…"),
    *_all(
        "how a cluster is run is its operator's business.",
        "* /v1/cluster/…",
        "* /v1/workers/…",
        "* /v1/supervisor/…",
        "* /v1/virtualenvs/…",
        "* /v1/token_routers/…",
        "* /v1/token_router_nodes/…",
    ),
    *_all("every caller's prompts would go to the server that it names.", "* /nodes/add"),
    *_all(
        "a GET with a body is read in more than one way: send it as POST.",
        "GET /configure_logging",
        "GET /release_memory_occupation",
        "GET /resume_memory_occupation",
        "GET /slow_down",
        "GET /weights_checker",
    ),
    # Other protocols
    *_all(
        "voice and live sessions are not read here.",
        "* /v1/realtime/…",
        "* /realtime/…",
        "GET /v1/responses",
        "WEBSOCKET /v1/responses",
        "GET /responses",
        "WEBSOCKET /responses",
    ),
    *_all(
        "LM Studio's own protocol is not read here: use its REST API.",
        "* /llm",
        "WEBSOCKET /system",
        "GET /embedding",
        "WEBSOCKET /embedding",
    ),
    *_all(
        "gRPC is not read here: use the server's HTTP API.",
        "* /inference.GRPCInferenceService/…",
        "* /vllm.Inference/…",
        "* /vllm.Control/…",
        "* /org.pytorch.serve.grpc.inference.InferenceAPIsService/…",
        "* /org.pytorch.serve.grpc.management.ManagementAPIsService/…",
        "* /tensorflow.serving.PredictionService/…",
        "* /tei.v1.Info/…",
        "* /tei.v1.Embed/…",
        "* /tei.v1.Predict/…",
        "* /tei.v1.Rerank/…",
        "* /tei.v1.Tokenize/…",
    ),
)


# One look tells that a path is none of these, which is what most paths are.
_SOME: Final = re.compile("|".join(re.sub(r"\?P<\w+>", "?:", each.paths.pattern) for each in REFUSED))


def reason(method: str, path: str) -> str | None:
    """Why an endpoint is refused; None when it is simply unknown. WebSockets and gRPC have reasons, too."""
    if _SOME.fullmatch(path) is None:
        return None
    return next((closed.reason for closed in REFUSED if closed.matches(method, path)), None)
