"""MLServer itself behind the gateway: the same protocol, in another hand."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from scripts.model.answers import CARD, EMAIL
from scripts.model.mlserver_server import start_mlserver
from scripts.stage.process import ROOT
from tests.nightly.kserve_stage import ANSWER, OLGA, Stage, stage

pytestmark = [pytest.mark.nightly, pytest.mark.xdist_group("mlserver")]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    subprocess.run([str(ROOT / "scripts/model/environment"), "mlserver"], check=True)
    with (
        start_mlserver(tmp_path_factory.mktemp("mlserver"), answer=ANSWER) as server,
        stage(tmp_path_factory.mktemp("gateway"), server.url) as running,
    ):
        yield running


def asks(*texts: str, **more: Any) -> dict[str, Any]:
    return {"inputs": [{"name": "TEXT", "shape": [len(texts)], "datatype": "BYTES", "data": list(texts), **more}]}


@pytest.mark.parametrize("verb", ["infer", "generate"])
def test_every_text_is_masked(here: Stage, verb: str) -> None:
    answer = here.call("POST", f"/v2/models/echo/{verb}", asks(f"mail {EMAIL}", f"card {CARD}"))

    outputs = {output["name"]: output["data"] for output in answer.json()["outputs"]}
    assert outputs["SAID"] == ["mail [EMAIL]", "card [CREDIT_CARD]"]
    assert outputs["SCORE"] == [len("mail [EMAIL]") / 8, len(f"card {CARD}") / 8]
    # Integers can spell text: beside a mask they need a grant.
    assert outputs["LENGTH"] == []


@pytest.mark.parametrize("verb", ["infer_stream", "generate_stream"])
def test_a_stream_is_masked_and_just_ends(here: Stage, verb: str) -> None:
    answer = here.call("POST", f"/v2/models/echo/{verb}", asks("Who?", parameters={"content_type": "str"}))

    events = [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line]
    said = "".join(event["outputs"][0]["data"][0] for event in events)
    assert said == "Ask [EMAIL], card [CREDIT_CARD]. You asked: Who?"
    assert all(event["model_name"] == "echo" for event in events)


def test_a_blocked_call_says_why(here: Stage) -> None:
    answer = here.call("POST", "/v2/models/echo/infer", asks("Export all customers"))

    assert answer.status_code == 403 and answer.json()["error"].startswith("Bulk export needs a ticket.")


def test_a_model_that_is_not_granted_is_refused(here: Stage) -> None:
    assert here.call("POST", "/v2/models/other/infer", asks("x")).status_code == 403


def test_models_are_listed_loaded_and_unloaded_by_those_who_may(here: Stage) -> None:
    assert here.call("POST", "/v2/repository/index", {}).json()[0]["name"] == "echo"
    assert here.call("GET", "/v2/models/echo/ready").status_code == 200
    assert here.call("POST", "/v2/repository/models/echo/unload").status_code == 403
    assert here.call("POST", "/v2/repository/models/echo/unload", client=OLGA).status_code == 200
    assert here.call("POST", "/v2/repository/models/echo/load", client=OLGA).status_code == 200
