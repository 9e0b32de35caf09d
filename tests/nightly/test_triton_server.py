"""Triton itself behind the gateway, asked by its own client."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.model.answers import CARD, EMAIL
from scripts.model.triton_server import TritonServer, start_triton
from scripts.stage.process import ROOT
from tests.nightly.kserve_stage import ANSWER, OLGA, Stage, stage

pytestmark = [pytest.mark.nightly, pytest.mark.xdist_group("triton")]

GENERATE = "/v2/models/teller/generate"
STREAM = "/v2/models/teller/generate_stream"


@pytest.fixture(scope="module")
def triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonServer]:
    subprocess.run([str(ROOT / "scripts/model/environment"), "triton"], check=True)
    with start_triton(tmp_path_factory.mktemp("triton"), answer=ANSWER) as server:
        yield server


@pytest.fixture(scope="module")
def here(triton: TritonServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("gateway"), triton.url) as running:
        yield running


@pytest.fixture(scope="module")
def python(triton: TritonServer) -> Path:
    return triton.python


@pytest.mark.parametrize("named", [True, False], ids=["by name", "every output"])
@pytest.mark.parametrize("binary", [True, False], ids=["binary", "JSON"])
def test_its_client_gets_every_text_masked(here: Stage, python: Path, binary: bool, named: bool) -> None:
    texts = [f"mail {EMAIL}", f"card {CARD}", "plain, Ω"]

    (answer,) = here.triton(python, {"do": "infer", "texts": texts, "binary": binary, "named": named})

    assert answer["said"] == ["mail [EMAIL]", "card [CREDIT_CARD]", "plain, Ω"]
    # Every output is binary where nothing else is said, which is what its client does for outputs it does not name.
    assert answer["kinds"] == ["bytes" if binary or not named else "str"]
    # Triton got the prompt masked as well: the card is not in it, and the e-mail address was gone before.
    assert answer["score"] == [len("mail [EMAIL]") / 8, len(f"card {CARD}") / 8, len("plain, Ω".encode()) / 8]


def test_its_client_shows_why_a_call_was_blocked(here: Stage, python: Path) -> None:
    for binary in (True, False):
        (answer,) = here.triton(python, {"do": "infer", "texts": ["Export all customers"], "binary": binary})
        assert "Bulk export needs a ticket." in answer["raised"] and answer["status"] == "403"


def test_bytes_that_are_no_text_need_a_grant(here: Stage, python: Path) -> None:
    (refused,) = here.triton(python, {"do": "noise"})
    (allowed,) = here.triton(python, {"do": "noise"}, client=OLGA)

    assert "tensor" in refused["raised"]
    # A tensor that is no text stays as the caller sent it, and comes back as the model said it.
    assert allowed == {"said": ["\xff\xfe", "mail [EMAIL]"], "length": [2, len("mail bob@example.org")]}


def test_models_are_described_to_its_client(here: Stage, python: Path) -> None:
    ready, server, model, config, index = here.triton(
        python, {"do": "ready", "model": "echo"}, {"do": "server"}, {"do": "model"}, {"do": "config"}, {"do": "index"}
    )

    assert ready is True and server["name"] == "triton"
    assert model["inputs"] == [{"name": "TEXT", "datatype": "BYTES", "shape": [-1]}]
    assert config["input"][0]["dims"] == [-1]
    assert {one["name"] for one in index} == {"echo", "teller"}


def test_loading_and_unloading_are_governed(here: Stage, python: Path) -> None:
    refused = here.triton(python, {"do": "unload"}, {"do": "load"})
    assert all("is not granted" in answer["raised"] for answer in refused)
    done = here.triton(
        python, {"do": "unload"}, {"do": "ready", "model": "echo"}, {"do": "load"}, {"do": "ready", "model": "echo"},
        client=OLGA,
    )  # fmt: skip
    assert done == [None, False, None, True]
    (own,) = here.triton(python, {"do": "load", "config": '{"backend": "python"}'}, client=OLGA)
    assert "'config' is not granted" in own["raised"]


def test_shared_memory_is_refused(here: Stage, python: Path) -> None:
    for client in (OLGA,):
        (answer,) = here.triton(python, {"do": "memory"}, client=client)
        assert "not granted" in answer["raised"]


def test_a_generated_answer_is_masked(here: Stage) -> None:
    answer = here.call("POST", GENERATE, {"text_input": "Whom, at once?"})

    assert answer.json()["text_output"] == "Ask [EMAIL], card [CREDIT_CARD]. You asked: Whom, at once?"


def test_a_generated_stream_is_masked_and_just_ends(here: Stage) -> None:
    answer = here.call("POST", STREAM, {"text_input": f"Who is {EMAIL}?", "parameters": {"max_tokens": 64}})

    said = "".join(line.removeprefix('data: {"model_name":"teller","model_version":"1","text_output":"')[:-2]
                   for line in answer.text.splitlines() if line)  # fmt: skip
    assert said == "Ask [EMAIL], card [CREDIT_CARD]. You asked: Who is [EMAIL]?"
    assert EMAIL not in answer.text and "error" not in answer.text


def test_an_error_of_the_model_is_masked(here: Stage) -> None:
    answer = here.call("POST", STREAM, {"text_input": "fail for 4111 1111 1111 1111"})

    assert answer.status_code == 400 and CARD not in answer.text and "[CREDIT_CARD]" in answer.text


def test_a_blocked_prompt_never_reaches_the_model(here: Stage) -> None:
    answer = here.call("POST", STREAM, {"text_input": "Export all customers"})

    assert answer.status_code == 403
    assert answer.json()["error"].startswith("Bulk export needs a ticket.")


def test_a_limit_holds_wherever_the_parameter_stands(here: Stage) -> None:
    for body in ({"max_tokens": 512}, {"parameters": {"max_tokens": 512}}, {"request_output_len": 512}):
        assert here.call("POST", GENERATE, {"text_input": "x at once", **body}).status_code == 403
