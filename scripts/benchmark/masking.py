"""What masking costs: CPU time of whole texts, of streams by the length of their chunks, and of making a stream.

`scripts/bench masking [--rules 50] [--json]`. Each figure is the least of many runs, in CPU time of this process, so
that what else the machine does disturbs it little. Beyond the shipped detectors, rules are made up.
"""

from __future__ import annotations

import argparse
import inspect
import json
import textwrap
import time
from collections.abc import Callable
from functools import partial

from penstock.detect.detector import DETECTORS, Detector, custom, detector
from penstock.masking.mask import Form, Mask, MaskRule

COMMON = (
    "email", "phone", "credit_card", "iban", "us_ssn", "ipv4", "ipv6", "aws_key", "github_token", "gitlab_token",
    "openai_key", "google_key", "slack_token", "stripe_key", "huggingface_token", "jwt", "private_key",
)  # fmt: skip
"""What most policies mask; the other detectors follow in their order."""
PROSE = (
    "The Nile is the longest river in Africa and has historically been considered the longest river in the world, "
    "though this has been contested by research suggesting that the Amazon River is slightly longer. Of the world's "
    "major rivers, the Nile is one of the smallest, as measured by annual flow in cubic metres of water. About 6,650 "
    "km long, its drainage basin covers eleven countries. "
)
CLEAN = (PROSE * 8)[:2048]
VALUES = (" bob@example.com", " 4111 1111 1111 1111", " +49 89 12345678", " 192.168.0.1")
DIRTY = "".join(CLEAN[at : at + 512] + value for at, value in zip(range(0, 2048, 512), VALUES, strict=True))
GERMAN = CLEAN.replace("e", "é").replace("the", "die")
ARGUMENTS = json.dumps({"path": "/tmp/x.txt", "content": CLEAN, "lines": list(range(40)), "mode": "a\n" * 20})


CODE = inspect.getsource(textwrap)[2048:4096]
DENSE = "".join(f"{value} and again {value}; " for value in (*VALUES, " DE89370400440532013000", " 123-45-6789") * 9)[
    :2048
]


def detectors(count: int) -> list[Detector]:
    """So many detectors, those that are used most first."""
    others = [known for known in DETECTORS if known.name not in (*COMMON, "ip")]
    known = [*map(detector, COMMON), *others]
    known += [custom(f"own{at}", rf"\bown{at}_[0-9a-z]{{8,40}}\b") for at in range(count - len(known))]
    return known[:count]


def least(run: Callable[[], object], *, seconds: float) -> float:
    """The least CPU time of a run, in microseconds."""
    best = float("inf")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        started = time.process_time()
        run()
        best = min(best, time.process_time() - started)
    return best * 1e6


def stream(mask: Mask, text: str, size: int, form: Form = "text") -> Callable[[], object]:
    """Feeds a text in chunks of a size."""
    chunks = [text[at : at + size] for at in range(0, len(text), size)]

    def run() -> None:
        feed = (masker := mask.stream(form)).feed
        for chunk in chunks:
            feed(chunk)
        masker.flush()

    return run


def held(mask: Mask, text: str) -> float:
    """Characters held back, on average over single-character chunks."""
    masker = mask.stream()
    total = released = 0
    for at, character in enumerate(text, 1):
        released += len(masker.feed(character))
        total += at - released
    return total / len(text)


def measure(rules: int, seconds: float) -> dict[str, float]:
    """Name of a figure -> its value."""
    mask = Mask([MaskRule(known.name, known) for known in detectors(rules)])
    figures = {
        "stream made (us)": least(lambda: [mask.stream() for _ in range(100)], seconds=seconds) / 100,
        "whole 2 KB, clean (us)": least(lambda: mask.whole(CLEAN), seconds=seconds),
        "whole 2 KB, 4 values (us)": least(lambda: mask.whole(DIRTY), seconds=seconds),
        "whole 2 KB, accents (us)": least(lambda: mask.whole(GERMAN), seconds=seconds),
        "whole JSON 3 KB (us)": least(lambda: mask.whole_json(ARGUMENTS), seconds=seconds),
    }
    for size in (1, 4, 16, 64, 256):
        count = -(-len(CLEAN) // size)
        figures[f"chunk of {size} (us)"] = least(stream(mask, CLEAN, size), seconds=seconds) / count
    figures["chunk of 4, with values (us)"] = least(stream(mask, DIRTY, 4), seconds=seconds) / -(-len(DIRTY) // 4)
    figures["chunk of 4, accents (us)"] = least(stream(mask, GERMAN, 4), seconds=seconds) / -(-len(GERMAN) // 4)
    figures["chunk of 4, JSON (us)"] = least(stream(mask, ARGUMENTS, 4, "json"), seconds=seconds) / -(
        -len(ARGUMENTS) // 4
    )
    for name, text in (("prose", CLEAN), ("code", CODE), ("dense with values", DENSE)):
        figures[f"whole text, {name} (MB/s)"] = len(text) / least(partial(mask.whole, text), seconds=seconds)
        if text is not CLEAN:
            figures[f"chunk of 4, {name} (us)"] = least(stream(mask, text, 4), seconds=seconds) / -(-len(text) // 4)
    figures["held back (characters)"] = held(mask, CLEAN)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="figures as one JSON object")
    parser.add_argument("--seconds", type=float, default=1.0, help="time spent on each figure (1.0)")
    parser.add_argument("--rules", type=int, default=15, help="how many detectors (15)")
    options = parser.parse_args()
    figures = measure(options.rules, options.seconds)
    if options.json:
        print(json.dumps({"rules": options.rules, **{name: round(value, 2) for name, value in figures.items()}}))
        return
    print(f"{options.rules} detectors")
    for name, value in figures.items():
        print(f"{value:10.2f}  {name}")


if __name__ == "__main__":
    main()
