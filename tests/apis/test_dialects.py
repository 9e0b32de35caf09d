from __future__ import annotations

import orjson
import pytest

from penstock.apis import OLLAMA, OPENAI
from penstock.errors import Refusal


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("policy_violation", 403, "permission_error"),
        ("invalid_request", 400, "invalid_request_error"),
        ("no_credential", 401, "authentication_error"),
        ("rate_limited", 429, "rate_limit_error"),
        ("unknown_endpoint", 404, "not_found_error"),
        ("body_too_large", 413, "invalid_request_error"),
        ("gateway_error", 503, "api_error"),
    ],
)
def test_openai_reads_message_type_param_and_code(code: str, status: int, kind: str) -> None:
    refusal = Refusal(code, "No.")
    assert refusal.status == status
    content_type, body = OPENAI.error(refusal, "01ABC")
    assert content_type == "application/json"
    error = {"message": "No. (exchange 01ABC)", "type": kind, "param": None, "code": code}
    assert orjson.loads(body) == {"error": error} and not body.endswith(b"\n")
    assert OPENAI.event(refusal, "01ABC") == b"data: " + body + b"\n\n"


def test_ollama_reads_one_string() -> None:
    content_type, body = OLLAMA.error(Refusal("policy_violation", "No."), "01ABC")
    assert (content_type, body) == ("application/json", b'{"error":"No. (exchange 01ABC)"}')
    assert OLLAMA.event(Refusal("policy_violation", "No."), "") == b'{"error":"No."}\n'
    assert (OPENAI.name, OLLAMA.name) == ("openai", "ollama")
