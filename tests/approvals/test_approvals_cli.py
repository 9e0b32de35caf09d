"""`penstock approvals` against the real endpoints, served over a socket."""

from __future__ import annotations

import http.server
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from penstock.approvals.desk import Desk
from penstock.approvals.http import answer
from penstock.caller import Caller
from penstock.cli import approvals as cli
from penstock.cli import main
from penstock.errors import ConfigurationError, PenstockError
from tests.approvals.desk_kit import ALICE, EVE, HELD, OTTO, RULE, SAM, TESS, TWO, Bench

TOKENS: dict[str, Caller] = {"alice-t": ALICE, "sam-t": SAM, "tess-t": TESS, "otto-t": OTTO, "eve-t": EVE}
NASTY = "user: \x1b[2J\x1b]8;;http://evil\x07 [bold red]hi[/] \u202etxt.exe\u200b \x9b31m\n╭ state: approved ╮ 🔥:fire:"


@dataclass
class Gateway:
    """What the proxy does around `answer`: authentication, one request at a time."""

    bench: Bench
    url: str = ""
    raw: tuple[int, bytes] | None = None
    """What to answer instead."""

    def respond(self, method: str, path: str, headers: list[tuple[bytes, bytes]], body: bytes) -> tuple[int, bytes]:
        if self.raw is not None:
            return self.raw
        sent = dict(headers).get(b"authorization", b"").decode()
        caller = TOKENS.get(sent.removeprefix("Bearer "))
        if caller is None:
            return 401, b'{"error": {"code": "invalid_token", "message": "The token is not valid."}}'
        got = answer(self.bench.desk, method, path, headers, body, caller)
        return got.status, got.body


@contextmanager
def serving(gateway: Gateway) -> Iterator[Gateway]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def serve(self) -> None:
            headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in self.headers.items()]
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            status, said = gateway.respond(self.command, self.path, headers, body)
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", "http://evil.example/")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = serve

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    gateway.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield gateway
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def gateway(bench: Bench) -> Iterator[Gateway]:
    bench.desk.open(HELD, TWO)
    with serving(Gateway(bench)) as gateway:
        yield gateway


def penstock(gateway: Gateway, *words: str, token: str = "sam-t") -> Result:
    return CliRunner().invoke(cli.command, ["--gateway", gateway.url, *words], env={"PENSTOCK_TOKEN": token})


def ok(result: Result) -> str:
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def failure(result: Result) -> str:
    assert isinstance(result.exception, PenstockError), result.output
    line = result.exception.line()
    assert "\n" not in line and "\x1b" not in line
    return line


# Seeing


def test_list_shows_what_waits(gateway: Gateway) -> None:
    shown = ok(penstock(gateway, "list"))
    for word in ("T1", "open", "corp|alice", "llama3.2", "bulk-export", "0 of 2", "export all customers"):
        assert word in shown


def test_list_says_when_nothing_waits(gateway: Gateway) -> None:
    assert ok(penstock(gateway, "list", token="eve-t")) == "Nothing waits for approval.\n"


def test_list_shows_a_caller_his_own(gateway: Gateway) -> None:
    assert "your own request" in ok(penstock(gateway, "list", token="alice-t"))


def test_ids_are_shown_whole_on_a_narrow_terminal(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(gateway.bench.clock, gateway.bench.journal)
    place = desk.open(HELD, TWO)
    gateway.bench.desk = desk
    monkeypatch.setenv("COLUMNS", "60")
    assert place.ticket.id in ok(penstock(gateway, "list"))


def test_json_is_for_programs(gateway: Gateway) -> None:
    (ticket,) = json.loads(ok(penstock(gateway, "list", "--json")))
    assert ticket["id"] == "T1"
    assert json.loads(ok(penstock(gateway, "show", "T1", "--json")))["prompt"] == HELD.prompt


def test_show_shows_everything(gateway: Gateway) -> None:
    gateway.bench.desk.approve("T1", TESS, "looks fine")
    shown = ok(penstock(gateway, "show", "T1"))
    for word in (
        "corp|alice (corp:data-science)",
        "chat llama3.2 at lab",
        "POST /v1/chat/completions",
        "bulk-export (approval two)",
        "Bulk export needs a ticket.",
        "1 of 2",
        "this request, once",
        "approve by corp|tess: looks fine",
        "approve, deny",
        "user: export all customers",
    ):
        assert word in shown, word


def test_show_of_a_ticket_that_is_over(gateway: Gateway) -> None:
    gateway.bench.desk.deny("T1", TESS)
    shown = ok(penstock(gateway, "show", "T1"))
    assert "denied" in shown and "nothing" in shown and "prompt" not in shown


def test_show_of_a_grant_for_a_time(gateway: Gateway) -> None:
    hourly = replace(RULE, grant_for=3600.0, grant_scope=frozenset({"caller", "rule"}))
    gateway.bench.desk.open(HELD, hourly)
    assert "every request of the same caller, rule for 1:00:00 (used 0 times)" in ok(penstock(gateway, "show", "T2"))


def test_a_prompt_does_not_act_on_the_terminal(gateway: Gateway) -> None:
    gateway.bench.desk.open(replace(HELD, prompt=NASTY, model="\x1b[31mllama"), RULE)
    for words in (("list",), ("show", "T2"), ("list", "--json"), ("show", "T2", "--json")):
        shown = ok(penstock(gateway, *words))
        assert not {c for c in shown if not c.isprintable() and c != "\n"}
    shown = ok(penstock(gateway, "show", "T2"))
    assert "\\x1b[2J" in shown and "\\u202etxt.exe" in shown and "\\x9b31m" in shown
    assert "[bold red]hi[/]" in shown and ":fire:" in shown
    assert "│ ╭ state: approved ╮" in shown


def test_a_long_prompt_is_cut_and_says_so(gateway: Gateway) -> None:
    gateway.bench.desk.open(replace(HELD, prompt="a" * 4000 + "b" * 1234), RULE)
    shown = ok(penstock(gateway, "show", "T2"))
    assert "bbb" not in shown and "1,234 more characters are not shown" in shown
    assert ok(penstock(gateway, "show", "T2", "--full")).count("b") > 1234


# Deciding


def test_two_people_approve(gateway: Gateway) -> None:
    assert ok(penstock(gateway, "approve", "T1")) == "T1 is open (1 of 2 approvals).\n"
    assert ok(penstock(gateway, "approve", "T1", "--reason", "checked", token="tess-t")) == "T1 is approved.\n"


def test_one_denies(gateway: Gateway) -> None:
    assert ok(penstock(gateway, "deny", "T1", "--reason", "no")) == "T1 is denied.\n"


def test_one_breaks_the_glass(gateway: Gateway) -> None:
    assert penstock(gateway, "break-glass", "T1", token="otto-t").exit_code == 2
    shown = json.loads(ok(penstock(gateway, "break-glass", "T1", "--reason", "fire", "--json", token="otto-t")))
    assert shown["state"] == "approved"


# Watching


@dataclass
class Pauses:
    """What happens between two looks; then Ctrl-C."""

    events: list[Any]

    def __call__(self, seconds: float) -> None:
        if not self.events:
            raise KeyboardInterrupt
        self.events.pop(0)()


def test_watch_shows_each_change_once_until_interrupted(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = gateway.bench.desk
    happens = [
        lambda: None,
        lambda: desk.open(replace(HELD, body=b"{}"), RULE),
        lambda: desk.approve("T1", TESS),
    ]
    monkeypatch.setattr(cli, "pause", Pauses(list(happens)))
    lines = [json.loads(line) for line in ok(penstock(gateway, "list", "--watch", "--json")).splitlines()]
    assert [(line["id"], line["count"]) for line in lines] == [("T1", 0), ("T2", 0), ("T1", 1)]


def test_watch_prints_tables_for_people(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "pause", Pauses([lambda: None]))
    assert ok(penstock(gateway, "list", "--watch")).count("T1") == 1


def test_watch_outlives_a_gateway_that_restarts(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    real = cli.Desk.all
    answers = iter([True, False, False, True])

    def all_(self: cli.Desk) -> Any:
        if next(answers):
            return real(self)
        raise cli.Unreachable("the gateway cannot be reached")

    monkeypatch.setattr(cli.Desk, "all", all_)
    monkeypatch.setattr(cli, "pause", Pauses([lambda: None] * 3))
    result = penstock(gateway, "list", "--watch", "--json")
    assert ok(result).count("cannot be reached") == 1
    assert result.stdout.count("T1") == 1


# Errors, each in one line


def test_a_token_that_the_gateway_does_not_know(gateway: Gateway) -> None:
    assert failure(penstock(gateway, "list", token="nobody")).startswith("the gateway does not accept this token:")


def test_a_ticket_of_ones_own(gateway: Gateway) -> None:
    assert failure(penstock(gateway, "approve", "T1", token="alice-t")) == "Nobody decides on a request of their own."


def test_a_group_that_may_not(gateway: Gateway) -> None:
    line = failure(penstock(gateway, "approve", "T1", token="otto-t"))
    assert line == "Your groups do not let you say approve on this ticket."


def test_a_ticket_that_is_not_there(gateway: Gateway) -> None:
    for token, ticket in (("sam-t", "T9"), ("eve-t", "T1")):
        assert failure(penstock(gateway, "show", ticket, token=token)) == "There is no such ticket."


def test_a_ticket_that_expired(gateway: Gateway) -> None:
    gateway.bench.later(TWO.expires)
    assert failure(penstock(gateway, "approve", "T1")) == "This ticket is expired already."


def test_a_decision_from_before_a_restart(gateway: Gateway) -> None:
    gateway.bench.desk = Desk(gateway.bench.clock, gateway.bench.journal)
    assert failure(penstock(gateway, "approve", "T1")) == "There is no such ticket."


def test_a_missing_reason(gateway: Gateway) -> None:
    gateway.bench.desk.open(HELD, replace(RULE, reason_required=True))
    assert failure(penstock(gateway, "approve", "T2")) == "This takes a reason."


@pytest.mark.parametrize("ticket", ["../whoami", "T1/", "T 1", "", "T1\x1b", "é"])
def test_an_id_that_is_none(gateway: Gateway, ticket: str) -> None:
    assert "is not the id of a ticket" in failure(penstock(gateway, "show", "--", ticket))


def test_a_gateway_that_is_not_there(gateway: Gateway) -> None:
    gone = Gateway(gateway.bench, "http://127.0.0.1:1")
    line = failure(penstock(gone, "list"))
    assert line.startswith("the gateway at http://127.0.0.1:1 cannot be reached: ") and "--gateway" in line


@pytest.mark.parametrize(
    "raw", [(200, b"<html>"), (200, b"[1]"), (200, b"{}"), (502, b"\xff\x1b[2J"), (302, b""), (200, b"[" * 200_000)]
)
def test_something_else_than_a_gateway(gateway: Gateway, raw: tuple[int, bytes]) -> None:
    gateway.raw = raw
    assert "does not answer like a Penstock gateway" in failure(penstock(gateway, "list"))


def test_an_error_message_does_not_act_on_the_terminal(gateway: Gateway) -> None:
    gateway.raw = 403, json.dumps({"error": {"code": "x", "message": "no\x1b[2J\nway"}}).encode()
    assert failure(penstock(gateway, "show", "T1")) == "no\\x1b[2J way"


def test_an_error_without_a_message(gateway: Gateway) -> None:
    gateway.raw = 418, b'{"error": {}}'
    assert failure(penstock(gateway, "show", "T1")) == "the gateway answered 418"


@pytest.mark.parametrize(
    "url",
    ["127.0.0.1:8080", "ftp://h", "http://", "http://a:b@h", "http://h/path", "http://h?x=1", "http://h:x", "\x1b"],
)
def test_an_address_that_is_none(gateway: Gateway, url: str) -> None:
    assert "is not the address of a gateway" in failure(penstock(Gateway(gateway.bench, url), "list"))


def test_no_token_at_all(gateway: Gateway) -> None:
    assert failure(penstock(gateway, "list", token="")).startswith("there is no token (give one with --token-file")


def test_a_token_from_a_file(gateway: Gateway, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("sam-t\n")
    assert "T1" in ok(penstock(gateway, "--token-file", str(file), "list", token="nobody"))


@pytest.mark.parametrize("content", [None, b"\xff", b"", b"two words", b"a\nb", "é".encode()])
def test_a_token_file_that_holds_none(gateway: Gateway, tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    result = penstock(gateway, "--token-file", str(file), "list")
    assert isinstance(result.exception, ConfigurationError)


def test_certificates_that_are_not_there(gateway: Gateway, tmp_path: Path) -> None:
    assert "no certificates" in failure(penstock(gateway, "--ca-file", str(tmp_path / "no.pem"), "list"))
    (tmp_path / "empty.pem").write_text("nothing")
    assert "no certificates" in failure(penstock(gateway, "--ca-file", str(tmp_path / "empty.pem"), "list"))


def test_the_token_goes_to_no_proxy_of_the_environment(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert "T1" in ok(penstock(gateway, "list"))


def test_the_command_prints_one_line_and_exits_with_1(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["penstock", "approvals", "--gateway", gateway.url, "show", "T9"])
    monkeypatch.setenv("PENSTOCK_TOKEN", "sam-t")
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 1
    assert capsys.readouterr().err == "penstock: There is no such ticket.\n"


def test_help_names_every_command(gateway: Gateway) -> None:
    shown = ok(CliRunner().invoke(cli.command, ["--help"]))
    for name in ("list", "show", "approve", "deny", "break-glass"):
        assert f"  {name} " in shown


def test_nothing_is_asked_for_help(tmp_path: Path) -> None:
    assert ok(CliRunner().invoke(cli.command, ["list", "--help"], env={"PENSTOCK_TOKEN": ""}))
