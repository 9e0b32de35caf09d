"""Writes a tiny llama model that answers with given pieces of text, one token each, whatever the sampler does.

Nothing is trained or downloaded. Attention and feed-forward contribute nothing, so what comes next depends on the
last token alone: every piece owns one dimension of its embedding, and the output matrix turns that dimension into
overwhelming odds for the piece after it. The chat template chooses among several answers: it ends the prompt with
the token of the first answer whose cue is in the last message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import gguf
import numpy as np
import numpy.typing as npt

CONTEXT: Final = 8192
FEED_FORWARD: Final = 32
HEAD_SIZE: Final = 16
ODDS: Final = 40.0
"""Logit of the piece that comes next; every other token has 0, so e^40 to a few hundred."""

_SPACE: Final = "\u2581"
_KIND = gguf.TokenType
_TAGS: Final = ("<think>", "</think>", "<tool_call>", "</tool_call>")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says, cut into tokens; `cue` is the word of the last message that calls for it ("" = any)."""

    pieces: tuple[str, ...]
    cue: str = ""

    @property
    def text(self) -> str:
        return "".join(self.pieces)


def answer(pieces: str, cue: str = "") -> Answer:
    """An answer from one string with `|` between its tokens: `answer("Ask al|ice@|example.org")`."""
    return Answer(tuple(pieces.split("|")), cue)


class Vocabulary:
    """Token texts with their scores and kinds, in the order of their ids."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.scores: list[float] = []
        self.kinds: list[int] = []
        self._ids: dict[str, int] = {}

    def add(self, text: str, kind: gguf.TokenType, score: float = 0.0) -> int:
        """The id of the token with this text; one that is there already stays as it is."""
        stored = text.replace(" ", _SPACE) if kind == _KIND.NORMAL else text
        if stored not in self._ids:
            self._ids[stored] = len(self.texts)
            self.texts.append(stored)
            self.scores.append(score)
            self.kinds.append(int(kind))
        return self._ids[stored]

    def __len__(self) -> int:
        return len(self.texts)


def write_model(path: Path, answers: Sequence[Answer], *, name: str = "tiny") -> Path:
    """Write the model to `path`; no two pieces of all the answers together may be the same text.

    Pieces of three and more characters are never met in a prompt (the tokenizer joins pairs, and the pairs on the
    way there are not in the vocabulary); shorter ones may be, and then a raw prompt that ends with one goes on there.
    """
    _check(answers)
    words = Vocabulary()
    bos, eos, unknown = _control(words, "<s>"), _control(words, "</s>"), words.add("<unk>", _KIND.UNKNOWN)
    turn_end = _control(words, "<|im_end|>")
    _control(words, "<|im_start|>")
    starts = [_control(words, f"<|say_{number}|>") for number in range(len(answers))]
    for tag in _TAGS:
        words.add(tag, _KIND.USER_DEFINED)
    for byte in range(256):
        words.add(f"<0x{byte:02X}>", _KIND.BYTE)
    for code in range(33, 127):
        words.add(chr(code), _KIND.NORMAL, -1000.0 - code)
    words.add(" ", _KIND.NORMAL, -900.0)
    chains = [
        [words.add(piece, _KIND.USER_DEFINED if piece in _TAGS else _KIND.NORMAL, -9000.0) for piece in one.pieces]
        for one in answers
    ]
    writer = gguf.GGUFWriter(str(path), "llama")
    embedding, output = _chains(len(words), starts, chains, eos)
    _describe(writer, words, embedding.shape[1], name)
    writer.add_bos_token_id(bos)
    writer.add_eos_token_id(eos)
    writer.add_eot_token_id(turn_end)
    writer.add_unk_token_id(unknown)
    writer.add_chat_template(_template(answers))
    _tensors(writer, embedding, output)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _check(answers: Sequence[Answer]) -> None:
    pieces = [piece for one in answers for piece in one.pieces]
    repeated = sorted({piece for piece in pieces if pieces.count(piece) > 1})
    if repeated:
        raise ValueError(f"each piece is one token, so no two may be alike: {repeated}")
    if not pieces or "" in pieces:
        raise ValueError("an answer has at least one piece, and no piece is empty")
    if sum(not one.cue for one in answers) != 1 or answers[-1].cue:
        raise ValueError("the last answer, and only that one, has no cue: it is what the model says otherwise")


def _control(words: Vocabulary, text: str) -> int:
    return words.add(text, _KIND.CONTROL)


def _chains(
    size: int, starts: Sequence[int], chains: Sequence[Sequence[int]], eos: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Embedding and output matrices. Dimension 0 is what every token outside the answers has in common."""
    steps = len(starts) + sum(map(len, chains)) + 1
    width = -(-steps // HEAD_SIZE) * HEAD_SIZE
    embedding = np.zeros((size, width), np.float32)
    output = np.zeros((size, width), np.float32)
    embedding[:, 0] = 1.0
    gain = ODDS / np.sqrt(width)  # RMS norm makes the one dimension that is set sqrt(width)
    output[chains[-1][0], 0] = gain
    free = 1
    for start, chain in zip(starts, chains, strict=True):
        for token, following in zip((start, *chain), (*chain, eos), strict=True):
            embedding[token] = 0.0
            embedding[token, free] = 1.0
            output[following, free] = gain
            free += 1
    return embedding, output


def _describe(writer: gguf.GGUFWriter, words: Vocabulary, width: int, name: str) -> None:
    writer.add_name(name)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(width)
    writer.add_block_count(1)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(width // HEAD_SIZE)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_dimension_count(HEAD_SIZE)
    writer.add_vocab_size(len(words))
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(words.texts)
    writer.add_token_scores(words.scores)
    writer.add_token_types(words.kinds)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(False)


def _tensors(writer: gguf.GGUFWriter, embedding: npt.NDArray[np.float32], output: npt.NDArray[np.float32]) -> None:
    width = embedding.shape[1]
    one = np.ones(width, np.float32)
    blank = {
        "attn_q": (width, width),
        "attn_k": (HEAD_SIZE, width),
        "attn_v": (HEAD_SIZE, width),
        "attn_output": (width, width),
        "ffn_gate": (FEED_FORWARD, width),
        "ffn_up": (FEED_FORWARD, width),
        "ffn_down": (width, FEED_FORWARD),
    }
    writer.add_tensor("token_embd.weight", embedding)
    writer.add_tensor("output_norm.weight", one)
    writer.add_tensor("output.weight", output)
    writer.add_tensor("blk.0.attn_norm.weight", one)
    writer.add_tensor("blk.0.ffn_norm.weight", one)
    for part, shape in blank.items():
        writer.add_tensor(f"blk.0.{part}.weight", np.zeros(shape, np.float32))


# ChatML, with the Hermes form of tool calls and <think>, all of which llama.cpp recognises in a template.
_TEMPLATE: Final = r"""
{%- if tools %}
{{- '<|im_start|>system\n# Tools\n\n<tools>' }}
{%- for tool in tools %}{{- '\n' + (tool | tojson) }}{%- endfor %}
{{- '\n</tools>\n\nFor each function call, return a json object with function name and arguments ' }}
{{- 'within <tool_call></tool_call> XML tags:\n<tool_call>\n' }}
{{- '{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call><|im_end|>\n' }}
{%- endif %}
{%- set found = namespace(last='') %}
{%- for message in messages %}
{%- if message.content %}{%- set found.last = message.content %}{%- endif %}
{{- '<|im_start|>' + message.role + '\n' }}
{%- if message.reasoning_content %}{{- '<think>\n' + message.reasoning_content + '\n</think>\n\n' }}{%- endif %}
{%- if message.content %}{{- message.content }}{%- endif %}
{%- for call in message.tool_calls or [] %}
{{- '<tool_call>\n{"name": "' + call.function.name + '", "arguments": ' }}
{{- (call.function.arguments | tojson) + '}\n</tool_call>' }}
{%- endfor %}
{{- '<|im_end|>\n' }}
{%- endfor %}
{%- set last = found.last %}
{%- if add_generation_prompt %}
{{- '<|im_start|>assistant\n' }}
{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\n\n</think>\n\n' }}{%- endif %}
CHOICE
{%- endif -%}
"""


def _template(answers: Sequence[Answer]) -> str:
    """The chat template, with a start token at the end of the prompt that the cues choose."""
    cases = [f"{{%- if '{one.cue}' in last %}}" for one in answers[:-1]]
    choice = "".join(f"{case}{{{{- '<|say_{number}|>' }}}}{{%- else %}}" for number, case in enumerate(cases))
    otherwise = f"{{{{- '<|say_{len(answers) - 1}|>' }}}}"
    return _TEMPLATE.replace("CHOICE", choice + otherwise + "{%- endif %}" * len(cases))
