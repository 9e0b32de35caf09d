"""Texts as token ids and back, as all servers do it: their bodies differ in keys alone.

The ids in a reply are those of the caller's own text, which was judged and masked on its way in: they pass. Beside a
mask the strings of the tokens are emptied, since no mask can read a value that is spelled over several of them. What
ids become as text again is text, and masked like any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from penstock.apis.api import Route
from penstock.apis.calls.contents import Input, contents, messages, tools
from penstock.apis.calls.fields import BOOL, INT, OBJECT, STRING, Table, parameter
from penstock.apis.calls.pooling import SHARED, TEMPLATED, inputs
from penstock.apis.calls.turns import LABEL
from penstock.apis.calls.whole import Borrowed, Whole
from penstock.apis.openai.chat import OpenAiChat
from penstock.exchange import Operation

_INPUTS: Final[Mapping[str, Input]] = {
    "prompt": contents,
    "messages": messages,
    "tools": tools,
    "content": contents,
    "inputs": contents,
    "text": contents,
    "input": contents,
}
IDS: Final = frozenset({"tokens", "ids", "input_ids", "count", "length"})
STRINGS: Final = frozenset({"piece", "token_strs"})


class Tokenize(Whole):
    """vLLM and SGLang (`prompt` or `messages`), llama.cpp and LocalAI (`content`), lmdeploy and llama-cpp-python
    (`input`), OpenVINO and TabbyAPI (`text`), KoboldCpp (`prompt`)."""

    name = "tokenize"
    routes: ClassVar[Sequence[Route]] = (
        Route("POST", "/tokenize", Operation.TOKENIZE),
        Route("POST", "/v1/tokenize", Operation.TOKENIZE),
        Route("POST", "/v3/tokenize", Operation.TOKENIZE),
        Route("POST", "/extras/tokenize", Operation.TOKENIZE),
        Route("POST", "/extras/tokenize/count", Operation.TOKENIZE),
        Route("POST", "/v1/token/encode", Operation.TOKENIZE),
        Route("POST", "/api/extra/tokencount", Operation.TOKENIZE),
        Route("POST", "/v1/encode", Operation.TOKENIZE),
    )
    table = Table(
        {
            **SHARED,
            **TEMPLATED,
            **inputs(*_INPUTS),
            "return_token_strs": parameter(BOOL, "return_token_strs"),
            "with_pieces": parameter(BOOL, "return_token_strs"),
            "add_special": parameter(BOOL, "add_special_tokens"),
            "add_bos": parameter(BOOL, "add_special_tokens"),
            "add_bos_token": parameter(BOOL, "add_special_tokens"),
            "special": parameter(BOOL, "add_special_tokens"),
            "parse_special": parameter(BOOL, "parse_special"),
            "encode_special_tokens": parameter(BOOL, "parse_special"),
            "decode_special_tokens": parameter(BOOL, "decode_special_tokens"),
            "do_preprocess": parameter(BOOL, "do_preprocess"),
            "tool_choice": parameter(STRING | OBJECT, "tool_choice", role=LABEL),
            "reasoning_effort": parameter(STRING, "reasoning_effort", role=LABEL),
            "max_length": parameter(INT, "max_length"),
            "pad_to_max_length": parameter(BOOL, "pad_to_max_length"),
            "padding_side": parameter(STRING, "padding_side", role=LABEL),
            # TGI takes the body of its generate.
            "parameters": parameter(OBJECT, "parameters", ordinary=False, role="other"),
        }
    )
    inputs: ClassVar[Mapping[str, Input]] = _INPUTS
    numbers = IDS
    spelled = STRINGS


class TokenizeInputs(Tokenize):
    """TEI's and TGI's: lists of tokens, each with its `text`."""

    name = "tei.tokenize"
    routes = (Route("POST", "/tokenize", Operation.TOKENIZE, marks=frozenset({"inputs"})),)
    numbers = frozenset({""})
    spelled = frozenset({"text"})


class Detokenize(Whole):
    """What token ids say: `tokens`, or TEI's `ids`. Nobody can read the call; the reply is read."""

    name = "detokenize"
    routes = (
        Route("POST", "/detokenize", Operation.TOKENIZE),
        Route("POST", "/v1/detokenize", Operation.TOKENIZE),
        Route("POST", "/extras/detokenize", Operation.TOKENIZE),
        Route("POST", "/v1/token/decode", Operation.TOKENIZE),
        Route("POST", "/decode", Operation.TOKENIZE),
    )
    table = Table(
        {
            "model": SHARED["model"],
            **inputs("tokens", "ids"),
            "skip_special_tokens": parameter(BOOL, "skip_special_tokens"),
            "add_bos_token": parameter(BOOL, "add_special_tokens"),
            "encode_special_tokens": parameter(BOOL, "parse_special"),
            "decode_special_tokens": parameter(BOOL, "decode_special_tokens"),
        }
    )
    inputs: ClassVar[Mapping[str, Input]] = {"tokens": contents, "ids": contents}


class TokenStrings(Whole):
    """Xinference: what each token of `input` says by itself. No mask can read that, so beside one nothing is said."""

    name = "xinference.tokens"
    routes = (Route("POST", "/v1/convert_ids_to_tokens", Operation.TOKENIZE),)
    table = Table({"model": SHARED["model"], "user": SHARED["user"], **inputs("input")})
    inputs: ClassVar[Mapping[str, Input]] = {"input": contents}
    spelled = frozenset({""})


CHAT_TOKENIZE: Final = Borrowed(
    "tgi.chat_tokenize",
    OpenAiChat(),
    (Route("POST", "/chat_tokenize", Operation.TOKENIZE),),
    numbers=frozenset({"tokenize_response"}),
    spelled=frozenset({"text"}),
)
"""TGI: a conversation as its template makes it, and the tokens of that."""
