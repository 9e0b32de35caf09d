"""KoboldAI's generate, as KoboldCpp and TabbyAPI serve it: whole, and streamed."""

from __future__ import annotations

from typing import ClassVar

from penstock.apis.api import Dialect, ReplyReader, Route
from penstock.apis.calls.fields import ANY, BOOL, INT, LIST, NUMBER, OBJECT, STRING, Field, Table, parameter, wrong
from penstock.apis.calls.generating import Generating, read_media
from penstock.apis.calls.turns import LABEL, Turns
from penstock.apis.koboldcpp.errors import KOBOLD
from penstock.apis.koboldcpp.reply import KoboldReader
from penstock.apis.openai.messages import strings
from penstock.exchange import Call, JsonObject, Operation


class KoboldGenerate(Generating):
    """`POST /api/v1/generate` and `/api/latest/generate`."""

    name = "koboldcpp.generate"
    dialect: ClassVar[Dialect] = KOBOLD
    routes: ClassVar[tuple[Route, ...]] = (
        Route("POST", "/api/v1/generate", Operation.COMPLETE),
        Route("POST", "/api/latest/generate", Operation.COMPLETE),
    )
    table = Table(
        {
            "model": Field(STRING),
            "prompt": Field(STRING),
            # What stays in front of the prompt when that has to be cut.
            "memory": Field(STRING),
            "images": Field(LIST),
            "max_length": parameter(INT, "max_tokens", limit=True),
            "n": parameter(INT, "n", limit=True),
            "temperature": parameter(NUMBER, "temperature"),
            "top_k": parameter(INT, "top_k"),
            "top_p": parameter(NUMBER, "top_p"),
            "top_a": parameter(NUMBER, "top_a"),
            "min_p": parameter(NUMBER, "min_p"),
            "typical": parameter(NUMBER, "typical_p"),
            "tfs": parameter(NUMBER, "tfs_z"),
            # The largest of these three counts.
            "rep_pen": parameter(NUMBER, "repeat_penalty", limit=True),
            "repeat_penalty": parameter(NUMBER, "repeat_penalty", limit=True),
            "repetition_penalty": parameter(NUMBER, "repeat_penalty", limit=True),
            "rep_pen_range": parameter(INT, "rep_pen_range"),
            "rep_pen_slope": parameter(NUMBER, "rep_pen_slope"),
            "presence_penalty": parameter(NUMBER, "presence_penalty"),
            "mirostat": parameter(INT, "mirostat"),
            "mirostat_tau": parameter(NUMBER, "mirostat_tau"),
            "mirostat_eta": parameter(NUMBER, "mirostat_eta"),
            "dynatemp_range": parameter(NUMBER, "dynatemp_range"),
            "dynatemp_exponent": parameter(NUMBER, "dynatemp_exponent"),
            "smoothing_factor": parameter(NUMBER, "smoothing_factor"),
            "dry_multiplier": parameter(NUMBER, "dry_multiplier"),
            "dry_base": parameter(NUMBER, "dry_base"),
            "dry_allowed_length": parameter(INT, "dry_allowed_length"),
            "dry_penalty_last_n": parameter(INT, "dry_penalty_last_n"),
            "dry_sequence_breakers": parameter(STRING | LIST, "dry_sequence_breakers", role="other"),
            "xtc_threshold": parameter(NUMBER, "xtc_threshold"),
            "xtc_probability": parameter(NUMBER, "xtc_probability"),
            "sampler_order": parameter(LIST, "sampler_order"),
            "sampler_seed": parameter(INT | STRING, "seed", role=LABEL),
            "stop_sequence": parameter(LIST, "stop", role="other"),
            "trim_stop": parameter(BOOL, "trim_stop"),
            "ban_eos_token": parameter(BOOL, "ignore_eos"),
            "use_default_badwordsids": parameter(BOOL, "ignore_eos"),
            "bypass_eos": parameter(BOOL, "bypass_eos"),
            "render_special": parameter(BOOL, "render_special"),
            "logit_bias": parameter(OBJECT, "logit_bias", role="other"),
            "banned_tokens": parameter(LIST, "banned_tokens", role="other"),
            "banned_strings": parameter(LIST, "banned_tokens", role="other"),
            "custom_token_bans": parameter(STRING, "custom_token_bans", role="other"),
            "quiet": parameter(BOOL, "quiet"),
            # What frontends send along.
            "use_story": parameter(BOOL, "use_story"),
            "use_memory": parameter(BOOL, "use_memory"),
            "use_authors_note": parameter(BOOL, "use_authors_note"),
            "use_world_info": parameter(BOOL, "use_world_info"),
            "streaming": parameter(BOOL, "streaming"),
            "singleline": parameter(BOOL, "singleline"),
            "sampler_full_determinism": parameter(BOOL, "sampler_full_determinism"),
            # It resizes the server's buffer; the grammar's state and the key outlive the call.
            "max_context_length": parameter(INT, "max_context_length", ordinary=False),
            "grammar": parameter(STRING, "grammar", ordinary=False, role="schema"),
            "grammar_retain_state": parameter(BOOL, "grammar_retain_state", ordinary=False),
            "genkey": parameter(STRING, "genkey", ordinary=False, role=LABEL),
            "adapter": parameter(ANY, "adapter", ordinary=False, role="system"),
        }
    )

    def texts(self, turns: Turns, body: JsonObject) -> None:
        prompt = body.get("prompt")
        if not isinstance(prompt, str):
            raise wrong(("prompt",), "a string")
        if isinstance(memory := body.get("memory"), str):
            turns.add("system", memory, ("memory",))
        turns.add("user", prompt, ("prompt",))
        read_media(turns, body.get("images"), ("images",), "image")
        for key in ("stop_sequence", "banned_tokens", "banned_strings"):
            strings(body.get(key), (key,))

    def reader(self, call: Call) -> ReplyReader:
        return KoboldReader()


class KoboldGenerateStream(KoboldGenerate):
    """`POST /api/extra/generate/stream`."""

    name = "koboldcpp.generate_stream"
    routes = (Route("POST", "/api/extra/generate/stream", Operation.COMPLETE),)

    def streams(self, body: JsonObject) -> bool:
        return True
