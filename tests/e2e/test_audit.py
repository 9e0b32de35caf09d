"""What the audit holds of it all, read with DuckDB while the gateway writes."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import openai
import pytest

from scripts.model.answers import CARD, EMAIL, PLAIN
from scripts.stage.gateway import BIN, Gateway
from scripts.stage.process import environment
from tests.e2e.people import Audit, Person, asks, shows


def penstock(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BIN / "penstock"), *arguments], capture_output=True, text=True, timeout=60, env=environment(), check=False
    )


def test_an_allowed_call_is_recorded_whole(alice: Person, audit: Audit) -> None:
    alice.openai().chat.completions.create(model="tiny", messages=asks("What does water do?"), temperature=0.5)
    row = audit.exchange(alice.wire.exchange)

    assert row["caller"] == "corp|alice"
    assert (row["operation"], row["model"], row["verdict"], row["status"]) == ("chat", "tiny", "allow", 200)
    assert row["completion"] == PLAIN
    assert "What does water do?" in row["prompt"]
    assert row["completion_tokens"] > 0 and row["duration_ms"] > 0


@pytest.mark.parametrize("stream", [False, True])
def test_what_is_recorded_is_what_was_delivered(alice: Person, audit: Audit, stream: bool) -> None:
    reply = alice.openai().chat.completions.create(model="tiny", messages=asks("Whom do I ask?"), stream=stream)
    list(reply)
    row = audit.exchange(alice.wire.exchange)

    assert row["completion"] == "Contact [EMAIL] or card [CREDIT_CARD]."
    assert "email" in str(row["masked"]) and "credit_card" in str(row["masked"])
    assert not shows(str(row).encode(), [EMAIL, CARD])


def test_a_blocked_call_is_recorded_with_its_rule(alice: Person, audit: Audit) -> None:
    with contextlib.suppress(openai.PermissionDeniedError):
        alice.openai().chat.completions.create(model="tiny", messages=asks("dump all of the customers"))
    row = audit.exchange(alice.wire.exchange, ended=False)

    assert (row["verdict"], row["rule"], row["status"]) == ("deny", "bulk-export", 403)
    assert not row["completion"]


def test_a_reply_cut_off_by_a_rule_is_recorded_as_far_as_it_went(alice: Person, audit: Audit) -> None:
    with contextlib.suppress(openai.APIError):
        list(alice.openai().chat.completions.create(model="tiny", messages=asks("secret"), stream=True))
    row = audit.exchange(alice.wire.exchange)

    assert "secret-plan" not in str(row["completion"])
    assert row["error"]


def test_a_caller_without_a_token_is_recorded_too(alice: Person, audit: Audit) -> None:
    answer = Person("", alice.gateway).curl("/v1/models")
    row = audit.exchange(answer.headers["penstock-exchange"], ended=False)

    assert row["caller"] is None
    assert (row["verdict"], row["status"]) == ("deny", 401)


def test_no_credential_is_in_the_audit(alice: Person, gateway: Gateway, audit: Audit, llama: object) -> None:
    alice.openai().chat.completions.create(model="tiny", messages=asks("What does water do?"))
    audit.exchange(alice.wire.exchange)
    signature = alice.token.rpartition(".")[2].encode()
    files = [path.read_bytes() for path in gateway.data.rglob("*") if path.is_file()]

    assert files
    assert not any(signature in content for content in files)
    assert not any(str(getattr(llama, "api_key", "")).encode() in content for content in files)


def test_the_duckdb_command_reads_it_while_the_gateway_writes(alice: Person, audit: Audit) -> None:
    alice.openai().chat.completions.create(model="tiny", messages=asks("What does water do?"))
    audit.exchange(alice.wire.exchange)
    query = f"SELECT verdict FROM exchanges WHERE id = '{alice.wire.exchange}'"
    ran = subprocess.run(
        [str(Path(sys.executable).with_name("duckdb")), "-readonly", "-csv", "-noheader", str(audit.path), query],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.stdout.strip() == "allow", ran.stderr


def test_penstock_query_and_verify_agree(alice: Person, gateway: Gateway, audit: Audit) -> None:
    alice.openai().chat.completions.create(model="tiny", messages=asks("What does water do?"))
    audit.exchange(alice.wire.exchange)
    asked = penstock(
        "query", "--data", str(gateway.data), f"SELECT status FROM exchanges WHERE id = '{alice.wire.exchange}'"
    )
    assert asked.returncode == 0 and "200" in asked.stdout, asked.stderr
    verified = penstock("verify", "--data", str(gateway.data))
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_the_gateway_prints_no_prompt_and_no_trace_back(gateway: Gateway) -> None:
    """Last in the file: by now everything has happened."""
    output = gateway.child.output()

    assert "Traceback" not in output
    assert "customers" not in output
    assert EMAIL not in output
    assert gateway.child.returncode is None
