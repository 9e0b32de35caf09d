from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.apis.wire.target import normal_path, unescape
from penstock.errors import Refusal


@pytest.mark.parametrize(
    ("target", "normal"),
    [
        ("/", "/"),
        ("/v1/chat/completions", "/v1/chat/completions"),
        (b"/api/chat", "/api/chat"),
        ("/v1/models/llama3:latest", "/v1/models/llama3:latest"),
        ("/v1/models/org/name", "/v1/models/org/name"),
        ("/v1/models/a%3ab", "/v1/models/a%3Ab"),
        ("/v1/models/%c3%a9", "/v1/models/%C3%A9"),
        ("/.penstock/health", "/.penstock/health"),
        ("/.well-known/x", "/.well-known/x"),
        ("/v1/models/", "/v1/models/"),
        ("/a?b=c&d=%20", "/a?b=c&d=%20"),
    ],
)
def test_a_plain_target_passes(target: str | bytes, normal: str) -> None:
    assert normal_path(target) == normal


@pytest.mark.parametrize(
    "target",
    [
        "/v1/ch%61t/completions",
        "/v1/chat%2Fcompletions",
        "/v1/chat%2fcompletions",
        "/v1%5cchat",
        "/v1/%2e%2e/api",
        "/v1/chat%252Fcompletions",
        "/v1/chat%00",
        "/v1/chat%0d%0a",
        "/v1/%7Ftest",
        "/v1/a%3fb",
        "/v1/a%23b",
        "/v1/%zz",
        "/v1/%4",
        "//v1/chat",
        "/v1//chat",
        "/v1/./chat",
        "/v1/../chat",
        "/v1/..;/chat",
        "/..",
        "/v1\\chat",
        "/v1/chat#x",
        "/v1/chat completions",
        "/v1/ch\u00e4t",
        "/v1/chat\u2024",
        b"/v1/\xff",
        "http://host/v1/chat",
        "//host/v1",
        "*",
        "host:443",
        "",
        "v1/chat",
        "/" + "a" * 2048,
        "/a?b c",
        "/a?\u00e4",
        "/a?%zz",
        "/a?",
        "/a?b#c",
    ],
)
def test_a_target_that_servers_could_read_in_two_ways_is_refused(target: str | bytes) -> None:
    with pytest.raises(Refusal) as caught:
        normal_path(target)
    assert caught.value.code == "invalid_request"


@given(st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30))
def test_what_passes_is_its_own_normal_form(path: str) -> None:
    try:
        normal = normal_path("/" + path)
    except Refusal:
        return
    assert normal_path(normal) == normal
    assert normal.isascii() and "//" not in normal.partition("?")[0] and "\\" not in normal


def test_the_escapes_that_remain_are_decoded_as_utf_8() -> None:
    assert unescape("caf%C3%A9%3A1") == "caf\u00e9:1"
    assert unescape("plain") == "plain"
    with pytest.raises(Refusal):
        unescape("%FF")
