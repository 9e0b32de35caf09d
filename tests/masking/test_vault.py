from __future__ import annotations

import json

import orjson
from hypothesis import given
from hypothesis import strategies as st

from penstock.apis.openai.reply import OpenAiReader
from penstock.detect.detector import detector
from penstock.masking.mask import Mask, MaskRule
from penstock.masking.reply import ReplyMask
from penstock.masking.vault import Restore, Vault
from tests.masking.chunks import chunks

EMAIL, CARD = detector("email"), detector("credit_card")
TOKENS = Mask([MaskRule("t", EMAIL, token=True), MaskRule("c", CARD)])
PLAIN = Mask([MaskRule("e", EMAIL)])


def kept(*values: str) -> Vault:
    vault = Vault()
    for value in values:
        vault.token("EMAIL", value)
    return vault


def test_a_value_gets_one_token_and_another_value_the_next() -> None:
    vault = Vault()
    masked = TOKENS.whole("bob@example.com, eve@example.com and bob@example.com", vault)
    assert masked.text == "[EMAIL_1], [EMAIL_2] and [EMAIL_1]"
    assert vault.values == {"[EMAIL_1]": "bob@example.com", "[EMAIL_2]": "eve@example.com"}


def test_the_same_vault_serves_every_text_of_a_prompt() -> None:
    vault = Vault()
    TOKENS.whole("bob@example.com", vault)
    assert TOKENS.whole_json('{"to": "eve@example.com", "cc": "bob@example.com"}', vault).text == (
        '{"to": "[EMAIL_2]", "cc": "[EMAIL_1]"}'
    )


def test_what_looks_like_a_token_already_is_left_alone() -> None:
    vault = Vault(["what does [EMAIL_1] mean?", "nothing"])
    assert TOKENS.whole("bob@example.com", vault).text == "[EMAIL_2]"
    assert Restore(vault).whole("[EMAIL_1] and [EMAIL_2]") == "[EMAIL_1] and bob@example.com"


def test_without_a_vault_a_token_is_a_label() -> None:
    assert TOKENS.whole("bob@example.com").text == "[EMAIL]"
    assert not Vault() and kept("x")


def test_values_that_overlap_become_a_label_that_nothing_gives_back() -> None:
    vault = Vault()
    both = Mask([MaskRule("t", EMAIL, token=True), MaskRule("p", EMAIL)])
    assert both.whole("bob@example.com", vault).text == "[EMAIL]"
    assert vault.values == {}


@given(
    st.lists(st.sampled_from(["[EMAIL_1]", "[EMAIL_2]", "[EMAIL_3]", "[", "]", "[EMAIL", "_1]", "[[", "so ", "é"])),
    st.lists(st.integers(0, 60)),
)
def test_values_come_back_under_any_cut(parts: list[str], cuts: list[int]) -> None:
    text = "".join(parts)
    vault = kept("bob@example.com", "eve@example.com")
    wanted = text.replace("[EMAIL_1]", "bob@example.com").replace("[EMAIL_2]", "eve@example.com")
    assert Restore(vault).whole(text) == wanted
    restore = Restore(vault)
    assert "".join(restore.feed(chunk) for chunk in chunks(text, cuts)) + restore.flush() == wanted


def test_only_what_may_become_a_token_is_held() -> None:
    restore = Restore(kept("bob@example.com"))
    assert restore.feed("see [EMA") == "see "
    assert restore.feed("nuel]") == "[EMAnuel]"
    assert restore.feed("[EMAIL_1") == "" and restore.flush() == "[EMAIL_1"
    assert restore.flush() == ""


def test_in_json_a_value_is_escaped() -> None:
    vault = kept('a "b" \\ c')
    assert json.loads(Restore(vault, "json").whole('{"x": "[EMAIL_1]"}')) == {"x": 'a "b" \\ c'}


def frame(content: str) -> bytes:
    return b"data: " + orjson.dumps({"choices": [{"index": 0, "delta": {"content": content}}]}) + b"\n\n"


END = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


def contents(out: bytes) -> str:
    documents = [orjson.loads(line[6:]) for line in out.split(b"\n") if line.startswith(b"data: {")]
    return "".join(choice["delta"].get("content", "") for each in documents for choice in each["choices"])


def test_a_streamed_reply_says_the_values_and_the_record_the_tokens() -> None:
    reply = ReplyMask(OpenAiReader(), text=PLAIN, tool=PLAIN, vault=kept("bob@example.com"))
    out = b"".join(reply.feed(frame(part)) for part in ("I wrote to [EM", "AIL", "_1] and to ev", "e@example.com."))
    out += reply.feed(END) + reply.finish()
    assert contents(out) == "I wrote to bob@example.com and to [EMAIL]."
    assert reply.reply.completion() == "I wrote to [EMAIL_1] and to [EMAIL]."
    assert reply.reply.complete and reply.reply.masked == {"email": 1}


def test_a_token_cut_short_is_delivered_as_it_is() -> None:
    reply = ReplyMask(OpenAiReader(), text=None, tool=None, vault=kept("bob@example.com"))
    out = reply.feed(frame("so [EMAIL_")) + reply.feed(END)
    assert contents(out) == "so [EMAIL_" and b"[DONE]" in out


def test_a_whole_reply_says_the_values_in_text_and_in_tool_arguments() -> None:
    body = orjson.dumps(
        {
            "choices": [
                {
                    "index": 0,
                    "message": {
                        "role": "assistant",
                        "content": "To [EMAIL_1].",
                        "tool_calls": [
                            {
                                "id": "c",
                                "type": "function",
                                "function": {"name": "mail", "arguments": '{"to": "[EMAIL_1]"}'},
                            }
                        ],
                    },
                    "finish_reason": "stop",
                }
            ]
        }
    )
    reply = ReplyMask(OpenAiReader(), text=PLAIN, tool=PLAIN, vault=kept("bob@example.com"))
    message = orjson.loads(reply.whole(200, "application/json", body))["choices"][0]["message"]
    assert message["content"] == "To bob@example.com."
    assert orjson.loads(message["tool_calls"][0]["function"]["arguments"]) == {"to": "bob@example.com"}
    assert "bob" not in reply.reply.completion()
