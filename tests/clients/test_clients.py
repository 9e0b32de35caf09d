"""What the users of real clients get to see, through the gateway: answers, masked values, and why something is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scripts.model.answers import CARD, EMAIL, FORM_EMAIL, PLAIN, TOOL_EMAIL
from scripts.stage.gateway import Entrance
from tests.clients.clients import CLIENTS, Client
from tests.clients.running import Program, Seen, Stage
from tests.e2e.people import Audit, eventually

pytestmark = pytest.mark.xdist_group("clients")

PROGRAMS = tuple(dict.fromkeys(client.program for client in CLIENTS))
HIDDEN = (EMAIL, CARD, TOOL_EMAIL, FORM_EMAIL, "secret-plan", "number seven")

type Look = Callable[[Program], dict[tuple[str, str, str], Seen]]


def played(*scenes: str) -> pytest.MarkDecorator:
    """Once for each client that plays the scene, with each entrance."""
    cases = [
        pytest.param(client, entrance, scene, id=f"{client.id}-{entrance}-{scene}")
        for client in CLIENTS
        for entrance in client.program.entrances
        for scene in scenes
        if scene in client.scenes
    ]
    return pytest.mark.parametrize(("client", "entrance", "scene"), cases)


@pytest.fixture
def shown(look: Look, client: Client, entrance: Entrance, scene: str) -> Seen:
    """What the user saw; whatever it was, no value that the model said is in it."""
    seen = look(client.program)[client.name, entrance, scene]
    assert not [value for value in HIDDEN if value in repr(seen)]
    return seen


@played("chat")
def test_an_answer_arrives(shown: Seen) -> None:
    assert (shown.text, shown.error) == (PLAIN, None)


@played("stream")
def test_a_stream_arrives_piece_by_piece(shown: Seen) -> None:
    assert (shown.text, shown.error) == (PLAIN, None)
    assert len(shown.pieces) > 3


@played("masked")
def test_values_are_masked_in_a_stream(shown: Seen) -> None:
    assert (shown.text, shown.error) == ("Contact [EMAIL] or card [CREDIT_CARD].", None)
    assert len(shown.pieces) > 3


@played("tools", "tools_streamed")
def test_the_arguments_of_a_tool_call_are_masked_and_can_be_read(shown: Seen) -> None:
    assert (shown.calls, shown.error) == ([["lookup", {"email": "[EMAIL]"}]], None)


@played("structured")
def test_a_structured_answer_is_masked_and_is_still_what_was_asked_for(shown: Seen) -> None:
    assert (shown.value, shown.error) == ({"person": "Grace", "mail": "[EMAIL]"}, None)


@played("embeddings")
def test_embeddings_arrive(shown: Seen) -> None:
    assert shown.error is None
    assert len(shown.vectors) == 2 and len(set(shown.vectors)) == 1 and shown.vectors[0] > 8


@played("blocked", "blocked_streamed")
def test_a_blocked_question_tells_its_user_why(shown: Seen, client: Client) -> None:
    assert shown.error is not None
    assert "Bulk export needs a ticket. (exchange " in shown.error["message"]
    assert shown.error["kind"] == client.blocked
    assert not shown.pieces


@played("denied")
def test_a_stream_that_is_broken_off_tells_its_user_why(shown: Seen, client: Client) -> None:
    assert shown.error is not None
    assert "The plan stays in the house. (exchange " in shown.error["message"]
    assert shown.error["kind"] == client.denied
    assert shown.text == "This is "


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.id)
def test_the_programs_play_what_is_listed_here(look: Look, program: Program) -> None:
    listed = {
        (client.name, entrance, scene)
        for client in CLIENTS
        for entrance in program.entrances
        for scene in client.scenes
        if client.program == program
    }
    assert look(program).keys() == listed


@pytest.mark.parametrize(
    ("program", "entrance"),
    [
        pytest.param(program, entrance, id=f"{program.id}-{entrance}")
        for program in PROGRAMS
        for entrance in program.entrances
    ],
)
def test_a_refused_question_is_asked_once(look: Look, stage: Stage, program: Program, entrance: Entrance) -> None:
    """Clients that try again would fill the audit, and hide the reason behind their own."""
    scenes = [scene for _, by, scene in look(program) if by == entrance and scene in ("blocked", "blocked_streamed")]
    audit = Audit(stage.gateways[entrance].data / "audit.duckdb")
    query = "SELECT count(*) AS calls FROM exchanges WHERE caller = ? AND rule = 'bulk-export'"
    caller = f"corp|{program.id}"

    assert eventually(lambda: audit.path.exists() and audit.rows(query, caller)[0]["calls"]) == len(scenes)
