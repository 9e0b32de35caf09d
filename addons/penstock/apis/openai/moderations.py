"""OpenAI moderations: whether a text, or an image, is of a kind that nobody wants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from penstock.apis.api import Route
from penstock.apis.calls.contents import Input, contents
from penstock.apis.calls.fields import Table
from penstock.apis.calls.pooling import SHARED, inputs
from penstock.apis.calls.whole import Whole
from penstock.exchange import Operation


class OpenAiModerations(Whole):
    """`POST /v1/moderations` (https://platform.openai.com/docs/api-reference/moderations/create)."""

    name = "openai.moderations"
    routes = (Route("POST", "/v1/moderations", Operation.MODERATE), Route("POST", "/moderations", Operation.MODERATE))
    table = Table({"model": SHARED["model"], "user": SHARED["user"], **inputs("input")})
    inputs: ClassVar[Mapping[str, Input]] = {"input": contents}
