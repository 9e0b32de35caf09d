"""OpenAI's audio translations: as transcriptions, with an English text as the answer."""

from __future__ import annotations

from penstock.apis.api import ReplyReader
from penstock.apis.calls.fields import Table
from penstock.apis.calls.media import Media
from penstock.apis.openai.paths import everywhere
from penstock.apis.openai.transcript import TranscriptReader
from penstock.apis.openai.transcriptions import AUDIO_TEXT
from penstock.exchange import Call, Operation


class OpenAiTranslations(Media):
    """`POST /v1/audio/translations` (https://platform.openai.com/docs/api-reference/audio/createTranslation)."""

    name = "openai.audio.translations"
    routes = everywhere("/audio/translations", Operation.TRANSCRIBE, "form")
    table = Table(AUDIO_TEXT)
    uploads = {"file": "audio"}

    def reader(self, call: Call) -> ReplyReader:
        return TranscriptReader()
