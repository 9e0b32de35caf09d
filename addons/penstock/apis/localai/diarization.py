"""Who spoke when, and what is to be heard, by LocalAI: a form with a recording in, segments out."""

from __future__ import annotations

from penstock.apis.api import ReplyReader, Route
from penstock.apis.calls.fields import BOOL, INT, NUMBER, STRING, Field, Table, parameter
from penstock.apis.calls.media import UPLOAD, Media
from penstock.apis.calls.turns import LABEL
from penstock.apis.openai.transcript import TranscriptReader
from penstock.exchange import Call, Operation


class LocalAiDiarization(Media):
    """`POST /v1/audio/diarization` and `POST /v1/audio/classification`."""

    name = "localai.diarization"
    routes = tuple(
        Route("POST", f"{prefix}/audio/{what}", Operation.TRANSCRIBE, bodies=("form",))
        for what in ("diarization", "classification")
        for prefix in ("/v1", "")
    )
    table = Table(
        {
            "file": UPLOAD,
            "model": Field(STRING),
            "num_speakers": parameter(INT, "num_speakers"),
            "min_speakers": parameter(INT, "min_speakers"),
            "max_speakers": parameter(INT, "max_speakers"),
            "clustering_threshold": parameter(NUMBER, "clustering_threshold"),
            "min_duration_on": parameter(NUMBER, "min_duration_on"),
            "min_duration_off": parameter(NUMBER, "min_duration_off"),
            "language": parameter(STRING, "language", role=LABEL),
            "include_text": parameter(BOOL, "include_text"),
            "response_format": parameter(STRING, "response_format", role=LABEL),
            "top_k": parameter(INT, "top_k"),
            "threshold": parameter(NUMBER, "threshold"),
        }
    )
    uploads = {"file": "audio"}

    def reader(self, call: Call) -> ReplyReader:
        return TranscriptReader()
