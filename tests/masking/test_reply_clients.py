"""What comes out is what clients take: the openai and ollama SDKs read every reply, and raise where one was stopped."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import ollama as ollama_sdk
import openai as openai_sdk
import pytest

from penstock import apis
from penstock.errors import Refusal
from penstock.masking.reply import ReplyMask
from tests.apis.recorded import RECORDED, Recorded
from tests.masking.replies import DONE, STOP, chunk, ollama, openai, reply_mask, said, streamed

OPENAI = [each for each in RECORDED if each.api.name.startswith("openai") and each.status == 200]
OLLAMA = [each for each in RECORDED if each.api.name in ("ollama.chat", "ollama.generate") and each.status == 200]


class Slowly(httpx.SyncByteStream):
    """A body that arrives in small parts."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def __iter__(self) -> Iterator[bytes]:
        for at in range(0, len(self.body), 97):
            yield self.body[at : at + 97]


def transport(body: bytes, content_type: str, status: int = 200) -> httpx.MockTransport:
    return httpx.MockTransport(
        lambda _: httpx.Response(status, headers={"content-type": content_type}, stream=Slowly(body))
    )


def openai_client(body: bytes, content_type: str, status: int = 200) -> openai_sdk.OpenAI:
    http = httpx.Client(transport=transport(body, content_type, status))
    return openai_sdk.OpenAI(api_key="k", base_url="http://gateway/v1", http_client=http, max_retries=0)


def ollama_client(body: bytes, content_type: str, status: int = 200) -> ollama_sdk.Client:
    return ollama_sdk.Client("http://gateway", transport=transport(body, content_type, status))


def delivered(recorded: Recorded) -> tuple[ReplyMask, bytes]:
    reply = reply_mask(recorded.reader())
    if recorded.streamed:
        return reply, streamed(reply, recorded.body)
    return reply, reply.whole(200, recorded.content_type, recorded.body)


@pytest.mark.parametrize("recorded", [each for each in OPENAI if each.api.name == "openai.chat"], ids=str)
def test_openai_reads_every_chat(recorded: Recorded) -> None:
    reply, out = delivered(recorded)
    client = openai_client(out, recorded.content_type)
    heard: dict[int, str] = {}
    tools: dict[int, str] = {}
    if recorded.streamed:
        for part in client.chat.completions.create(model="tiny", messages=[], stream=True):
            for choice in part.choices:
                heard[choice.index] = heard.get(choice.index, "") + (choice.delta.content or "")
                for call in choice.delta.tool_calls or ():
                    assert call.function is not None
                    tools[call.index] = tools.get(call.index, "") + (call.function.arguments or "")
    else:
        whole = client.chat.completions.create(model="tiny", messages=[])
        for one in whole.choices:
            heard[one.index] = one.message.content or ""
            for number, made in enumerate(one.message.tool_calls or ()):
                assert made.type == "function"
                tools[number] = made.function.arguments
    for (index, field), parts in reply.reply.texts.items():
        if field == "content":
            assert heard[index] == "".join(parts)
        elif field.endswith("arguments"):
            assert tools[int(field.split(".")[1])] == "".join(parts)


@pytest.mark.parametrize("recorded", [each for each in OPENAI if each.api.name == "openai.completions"], ids=str)
def test_openai_reads_every_completion(recorded: Recorded) -> None:
    reply, out = delivered(recorded)
    client = openai_client(out.replace(b"data: null\n\n", b""), recorded.content_type)
    heard: dict[int, str] = {}
    if recorded.streamed:
        for part in client.completions.create(model="tiny", prompt="x", stream=True):
            for choice in part.choices:
                heard[choice.index] = heard.get(choice.index, "") + choice.text
    else:
        heard = {choice.index: choice.text for choice in client.completions.create(model="tiny", prompt="x").choices}
    assert heard == {index: "".join(parts) for (index, field), parts in reply.reply.texts.items() if field == "text"}


def test_openai_reads_a_list_of_models() -> None:
    recorded = next(each for each in OPENAI if each.name == "llama_cpp_models")
    _, out = delivered(recorded)
    assert [model.id for model in openai_client(out, recorded.content_type).models.list()] == ["tiny"]


@pytest.mark.parametrize("recorded", [each for each in OLLAMA if "error" not in each.name], ids=str)
def test_ollama_reads_every_reply(recorded: Recorded) -> None:
    reply, out = delivered(recorded)
    client = ollama_client(out, recorded.content_type)
    heard, thought = "", ""
    if recorded.api.name == "ollama.chat":
        answers = client.chat("m", stream=True) if recorded.streamed else [client.chat("m")]
        for answer in answers:
            heard += answer.message.content or ""
            thought += answer.message.thinking or ""
    else:
        generated = client.generate("m", stream=True) if recorded.streamed else [client.generate("m")]
        for piece in generated:
            heard += piece.response or ""
            thought += piece.thinking or ""
            assert not piece.context
    field = "content" if recorded.api.name == "ollama.chat" else "response"
    assert heard == "".join(reply.reply.texts.get((0, field), []))
    assert thought == "".join(reply.reply.texts.get((0, "thinking"), []))


def listen_openai(out: bytes, heard: list[str]) -> None:
    """What a client of OpenAI's hears of a stream, until it raises."""
    client = openai_client(out, "text/event-stream")
    for part in client.chat.completions.create(model="m", messages=[], stream=True):
        heard.append(part.choices[0].delta.content or "")


def listen_ollama(out: bytes, heard: list[str]) -> None:
    """What a client of Ollama's hears of a stream, until it raises."""
    for part in ollama_client(out, "application/x-ndjson").chat("m", stream=True):
        heard.append(part.message.content or "")


def test_openai_raises_where_a_stream_was_stopped() -> None:
    body = chunk({"content": "it is "}) + chunk({"content": "falcon "}) + chunk({}, finish="stop") + DONE
    heard: list[str] = []
    with pytest.raises(openai_sdk.APIError, match=r"stopped by a rule.*01TEST"):
        listen_openai(streamed(openai(STOP), body), heard)
    assert "".join(heard) == "it is "


def test_ollama_raises_where_a_stream_was_stopped() -> None:
    body = said("it is ") + said("falcon ") + said("", done=True)
    heard: list[str] = []
    with pytest.raises(ollama_sdk.ResponseError, match=r"stopped by a rule.*01TEST"):
        listen_ollama(streamed(ollama(STOP), body), heard)
    assert "".join(heard) == "it is "


def test_clients_raise_where_a_stream_was_cut() -> None:
    with pytest.raises(openai_sdk.APIError, match="ended before"):
        listen_openai(streamed(openai(), chunk({"content": "x"})), [])
    with pytest.raises(ollama_sdk.ResponseError, match="ended before"):
        listen_ollama(streamed(ollama(), said("x")), [])


def test_clients_show_the_message_of_a_refusal() -> None:
    refusal = Refusal("policy_violation", "Bulk export needs a ticket.")
    shown = r"Bulk export needs a ticket\. \(exchange 01TEST\)"
    content_type, body = apis.OPENAI.error(refusal, "01TEST")
    with pytest.raises(openai_sdk.PermissionDeniedError, match=shown) as caught:
        openai_client(body, content_type, 403).chat.completions.create(model="m", messages=[])
    assert caught.value.code == "policy_violation"
    content_type, body = apis.OLLAMA.error(refusal, "01TEST")
    with pytest.raises(ollama_sdk.ResponseError, match=shown):
        ollama_client(body, content_type, 403).chat("m")
