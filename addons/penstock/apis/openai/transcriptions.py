"""OpenAI's audio transcriptions: a form with a recording in, what was said in it out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from penstock.apis.api import ReplyReader
from penstock.apis.calls.fields import BOOL, INT, LIST, NUMBER, STRING, Field, Table, parameter
from penstock.apis.calls.media import UPLOAD, Media
from penstock.apis.calls.turns import LABEL
from penstock.apis.openai.paths import everywhere
from penstock.apis.openai.transcript import TranscriptReader
from penstock.exchange import Call, Operation

AUDIO_TEXT: Final[Mapping[str, Field]] = {
    "file": UPLOAD,
    "model": Field(STRING),
    "prompt": Field(STRING, role="user"),
    "language": parameter(STRING, "language", role=LABEL),
    "response_format": parameter(STRING, "response_format", role=LABEL),
    "temperature": parameter(NUMBER, "temperature"),
    "timestamp_granularities[]": parameter(STRING | LIST, "timestamp_granularities", role=LABEL),
    "timestamp_granularities": parameter(STRING | LIST, "timestamp_granularities", role=LABEL),
    "user": parameter(STRING, "user", role="other"),
    "kwargs": parameter(STRING, "kwargs", ordinary=False),
    # vLLM
    "stream": Field(BOOL),
    "stream_include_usage": parameter(BOOL, "stream_options"),
    "stream_continuous_usage_stats": parameter(BOOL, "stream_options"),
    "to_language": parameter(STRING, "to_language", role=LABEL),
    "hotwords": Field(STRING, role="user"),
    "max_completion_tokens": parameter(INT, "max_tokens", limit=True),
    "n": parameter(INT, "n", limit=True),
    "use_beam_search": parameter(BOOL, "use_beam_search"),
    "length_penalty": parameter(NUMBER, "length_penalty"),
    "include_stop_str_in_output": parameter(BOOL, "include_stop_str_in_output"),
    "top_p": parameter(NUMBER, "top_p"),
    "top_k": parameter(INT, "top_k"),
    "min_p": parameter(NUMBER, "min_p"),
    "seed": parameter(INT, "seed"),
    "frequency_penalty": parameter(NUMBER, "frequency_penalty"),
    "presence_penalty": parameter(NUMBER, "presence_penalty"),
    "repetition_penalty": parameter(NUMBER, "repeat_penalty"),
    "penalty_decay": parameter(NUMBER, "penalty_decay"),
    "vllm_xargs": parameter(STRING, "vllm_xargs", ordinary=False, role="other"),
}


class OpenAiTranscriptions(Media):
    """`POST /v1/audio/transcriptions` (https://platform.openai.com/docs/api-reference/audio/createTranscription)."""

    name = "openai.audio.transcriptions"
    routes = everywhere("/audio/transcriptions", Operation.TRANSCRIBE, "form")
    table = Table(
        {
            **AUDIO_TEXT,
            "include[]": parameter(STRING | LIST, "include", role=LABEL),
            "include": parameter(STRING | LIST, "include", role=LABEL),
            "keywords[]": Field(STRING | LIST, role="user"),
            "keywords": Field(STRING | LIST, role="user"),
            "languages[]": parameter(STRING | LIST, "languages", role=LABEL),
            "languages": parameter(STRING | LIST, "languages", role=LABEL),
            "chunking_strategy": parameter(STRING, "chunking_strategy", role="other"),
            "chunking_strategy[type]": parameter(STRING, "chunking_strategy", role=LABEL),
            "chunking_strategy[prefix_padding_ms]": parameter(INT, "chunking_strategy"),
            "chunking_strategy[silence_duration_ms]": parameter(INT, "chunking_strategy"),
            "chunking_strategy[threshold]": parameter(NUMBER, "chunking_strategy"),
            "known_speaker_names[]": Field(STRING | LIST, role="other"),
            "known_speaker_references[]": Field(STRING | LIST),
            # LocalAI
            "diarize": parameter(BOOL, "diarize"),
            "translate": parameter(BOOL, "translate"),
        }
    )
    uploads = {"file": "audio", "known_speaker_references[]": "audio"}

    def reader(self, call: Call) -> ReplyReader:
        return TranscriptReader()
