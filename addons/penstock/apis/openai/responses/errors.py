"""How the Responses API says that something went wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import orjson

from penstock.apis.dialects import OPENAI
from penstock.apis.wire import sse
from penstock.errors import Refusal


def _first() -> int:
    return 0


class ResponsesDialect:
    """OpenAI's error body; in a stream, an `error` event that says it in both ways that clients look for.

    `message` and `code` stand at the top, as the reference has it. But openai-python and openai-node only yield such
    an event; they raise for a document with the key `error` (`_streaming.py` of openai-python, `core/streaming.js` of
    openai-node), and Vercel's `ai` takes either form if it has a `sequence_number`.
    """

    name = "openai"

    def __init__(self, number: Callable[[], int] = _first) -> None:
        """`number`: the sequence number of an event that is sent now."""
        self._number = number

    def error(self, refusal: Refusal, exchange_id: str) -> tuple[str, bytes]:
        return OPENAI.error(refusal, exchange_id)

    def event(self, refusal: Refusal, exchange_id: str) -> bytes:
        error = orjson.loads(OPENAI.error(refusal, exchange_id)[1])["error"]
        told = {"code": error["code"], "message": error["message"], "param": None}
        return sse.encode({"type": "error", **told, "sequence_number": self._number(), "error": error}, "error")


RESPONSES: Final = ResponsesDialect()
