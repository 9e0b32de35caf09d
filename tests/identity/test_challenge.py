"""Refused callers get the RFC 6750 challenge, and RFC 9728 metadata tells them where tokens come from."""

from __future__ import annotations

import pytest

from penstock.errors import STATUS, Refusal
from penstock.identity.challenge import challenged, metadata_url, protected_resource
from tests.identity.mint import CORP, OTHER, settings

URL = "https://gw.example"
METADATA = 'resource_metadata="https://gw.example/.well-known/oauth-protected-resource"'


def header(refusal: Refusal, resource: str = URL) -> str | None:
    return dict(challenged(refusal, resource).headers).get("WWW-Authenticate")


def test_without_a_credential_the_challenge_is_bare() -> None:
    refusal = Refusal("no_credential", "A credential is needed.")
    assert header(refusal) == f"Bearer {METADATA}"
    assert header(refusal, "") == 'Bearer realm="penstock"'


@pytest.mark.parametrize(
    ("code", "error"),
    [("invalid_token", "invalid_token"), ("invalid_request", "invalid_request"), ("not_granted", "insufficient_scope")],
)
def test_the_error_and_its_description_are_named(code: str, error: str) -> None:
    refusal = Refusal(code, "No.")
    assert header(refusal) == f'Bearer error="{error}", error_description="No.", {METADATA}'
    assert header(refusal, "") == f'Bearer error="{error}", error_description="No."'


def test_other_refusals_are_no_matter_of_credentials() -> None:
    for code in STATUS.keys() - {"no_credential", "invalid_token", "invalid_request", "not_granted"}:
        refusal = Refusal(code, "No.")
        assert challenged(refusal, URL) is refusal


def test_a_description_cannot_leave_its_quotes() -> None:
    told = header(Refusal("invalid_token", 'a"b\\c\r\nX: y\x00é'), "")
    assert told == "Bearer error=\"invalid_token\", error_description=\"a'b'c''X: y''\""


def test_the_refusal_itself_stays_as_it_is() -> None:
    refusal = Refusal("invalid_token", "No.", 0, (("X", "y"),), "advice")
    told = challenged(refusal, URL)
    assert (told.code, told.message, told.status, told.advice) == ("invalid_token", "No.", 401, "advice")
    assert told.headers[0] == ("X", "y") and len(refusal.headers) == 1


def test_metadata_is_where_rfc_9728_says() -> None:
    assert metadata_url("https://gw.example/") == "https://gw.example/.well-known/oauth-protected-resource"
    assert (
        metadata_url("https://gw.example:8443/v1") == "https://gw.example:8443/.well-known/oauth-protected-resource/v1"
    )


def test_metadata_names_the_resource_and_its_issuers() -> None:
    assert protected_resource(settings(), URL) == {
        "resource": URL,
        "resource_name": "Penstock",
        "authorization_servers": [CORP, OTHER],
        "bearer_methods_supported": ["header"],
    }


def test_without_a_resource_there_is_no_metadata() -> None:
    with pytest.raises(Refusal) as refused:
        protected_resource(settings(), "")
    assert refused.value.status == 404
