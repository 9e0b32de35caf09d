"""What comes out is what OpenAI's client takes: its stream parser puts together what was delivered, and raises where a
stream was stopped."""

from __future__ import annotations

import openai
import pytest
from openai.types.responses import Response

from penstock.apis.openai.responses.errors import RESPONSES
from penstock.apis.openai.responses.reply import ResponsesReader
from penstock.errors import Refusal
from penstock.exchange import Call, Operation
from penstock.masking.reply import ReplyMask
from tests.apis.recorded import RECORDED, Recorded
from tests.masking.replies import STOP, documents, reply_mask, streamed
from tests.masking.test_reply_clients import openai_client

ALL = [each for each in RECORDED if each.api.name == "openai.responses" and each.status == 200]
STREAMED = [each for each in ALL if each.streamed and "error" not in each.name]
WHOLE = [each for each in ALL if not each.streamed]
# The parser of `responses.stream` wants the numbers that llama.cpp leaves out, and transformers has no reasoning.
PARSED = [each for each in STREAMED if not each.name.startswith("llama_cpp")]


def said(response: Response) -> dict[str, str]:
    """The texts of a response by the id of their item."""
    found: dict[str, str] = {}
    for item in response.output:
        if item.type == "message":
            found[item.id] = "".join(part.text if part.type == "output_text" else part.refusal for part in item.content)
        elif item.type == "reasoning":
            found[item.id] = "".join(part.text for part in (*item.summary, *(item.content or ())))
        elif item.type == "function_call":
            found[item.id or ""] = item.arguments
        elif item.type == "custom_tool_call":
            found[item.id or ""] = item.input
    return found


@pytest.mark.parametrize("recorded", STREAMED, ids=str)
def test_deltas_add_up_to_the_response_that_ends_them(recorded: Recorded) -> None:
    out = streamed(reply_mask(recorded.reader()), recorded.body)
    client = openai_client(out, recorded.content_type)
    heard: dict[str, str] = {}
    last: Response | None = None
    for event in client.responses.create(model="tiny", input="x", stream=True):
        match event.type:
            case (
                "response.output_text.delta"
                | "response.refusal.delta"
                | "response.reasoning_text.delta"
                | "response.reasoning_summary_text.delta"
                | "response.function_call_arguments.delta"
                | "response.custom_tool_call_input.delta"
            ):
                heard[event.item_id] = heard.get(event.item_id, "") + event.delta
            case "response.completed" | "response.incomplete":
                last = event.response
    assert last is not None and said(last) == heard
    assert "[EMAIL]" in str(heard)


@pytest.mark.parametrize("recorded", PARSED, ids=str)
def test_the_clients_own_parser_takes_every_stream(recorded: Recorded) -> None:
    out = streamed(reply_mask(recorded.reader()), recorded.body)
    if "events" in recorded.name:
        # It wants `response.created` first, though the reference puts `response.queued` there at times.
        out = out.partition(b"\n\n")[2]
    snapshots: dict[int, str] = {}
    client = openai_client(out, recorded.content_type)
    with client.responses.stream(model="tiny", input="x") as stream:
        for event in stream:
            if event.type == "response.output_text.delta":
                snapshots[event.output_index] = event.snapshot
            elif event.type == "response.output_text.done":
                assert snapshots[event.output_index] == event.text
        if "incomplete" not in recorded.name:
            assert snapshots.get(len(stream.get_final_response().output) - 1, "") in (
                stream.get_final_response().output_text
            )
    assert snapshots or "tool" in recorded.name


@pytest.mark.parametrize("recorded", WHOLE, ids=str)
def test_every_response_is_read_whole(recorded: Recorded) -> None:
    out = reply_mask(recorded.reader()).whole(200, recorded.content_type, recorded.body)
    response = openai_client(out, recorded.content_type).responses.create(model="tiny", input="x")
    assert "[EMAIL]" in str(said(response))
    assert response.status == "completed" and response.usage is not None


def stopped() -> ReplyMask:
    return reply_mask(ResponsesReader(Call("openai.responses", Operation.CHAT, "tiny")), STOP)


@pytest.mark.parametrize("named", [True, False])
def test_a_denial_in_mid_stream_raises_with_its_message(named: bool) -> None:
    recorded = next(each for each in STREAMED if each.name == "vllm_resp_stream")
    out = streamed(stopped(), recorded.body.replace(b'" card"', b'" falcon "'))
    if not named:
        out = out.replace(b"event: error\n", b"")
    heard: list[str] = []
    with pytest.raises(openai.APIError, match=r"stopped by a rule.*01TEST") as caught:
        listen(out, heard)
    assert "".join(heard) == "Contact [EMAIL] or " and caught.value.code == "policy_violation"
    with (
        pytest.raises(openai.APIError, match="stopped by a rule"),
        openai_client(out, "text/event-stream").responses.stream(model="tiny", input="x") as stream,
    ):
        stream.until_done()


def listen(out: bytes, heard: list[str]) -> None:
    """What a client hears of a stream, until it raises."""
    for event in openai_client(out, "text/event-stream").responses.create(model="tiny", input="x", stream=True):
        if event.type == "response.output_text.delta":
            heard.append(event.delta)


def test_a_cut_stream_raises() -> None:
    recorded = next(each for each in STREAMED if each.name == "vllm_resp_stream")
    out = streamed(stopped(), recorded.body.partition(b"event: response.completed")[0])
    with pytest.raises(openai.APIError, match="ended before"):
        listen(out, [])


def test_a_refusal_shows_its_message() -> None:
    content_type, body = RESPONSES.error(Refusal("not_granted", "No."), "01TEST")
    with pytest.raises(openai.PermissionDeniedError, match=r"No\. \(exchange 01TEST\)"):
        openai_client(body, content_type, 403).responses.create(model="tiny", input="x")
    assert documents(RESPONSES.event(Refusal("not_granted", "No."), ""))[0]["sequence_number"] == 0
