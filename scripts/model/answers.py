"""What the tiny model of the demo and the end-to-end tests says, token by token, and the values hidden in it."""

from __future__ import annotations

from typing import Final

from scripts.model.tiny_gguf import Answer, answer

EMAIL: Final = "alice.smith@example.com"
CARD: Final = "4111 1111 1111 1111"
THOUGHT_EMAIL: Final = "frank.r@example.org"
TOOL_EMAIL: Final = "erin.k@example.com"
FORM_EMAIL: Final = "grace.h@example.net"
PLAIN: Final = "Water turns the wheel, and the gate decides how much."

ANSWERS: Final[tuple[Answer, ...]] = (
    answer("Water tu|rns the w|heel, and |the gate d|ecides ho|w much.", cue="water"),
    answer("<think>|Maybe fra|nk.r@exam|ple.org kn|ows it.|</think>|Ask the d|esk downst|airs.", cue="think"),
    answer(
        '<tool_call>|\n{"na|me": "look|up", "argu|ments": {"em|ail": "er|in.k@exa|mple.co|m"}}|\n</|tool_|call>',
        cue="look up",
    ),
    answer("This is |top-se|cret-plan| number s|even, keep| it here.", cue="secret"),
    answer('{"person|": "Gra|ce", "ma|il": "gra|ce.h@ex|ample.n|et"}', cue="as JSON"),
    answer("Contact |alice.|smi|th@|example|.co|m or| card| 41|11 1|111 |1111| 1|111."),
)
"""Answers by cue; the last one is said otherwise. Every value of interest is cut in its middle."""
