"""The policy that the gateway is measured under: 20 guardrails on prompt and reply, 15 detectors, grants, limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from scripts.stage.identity_provider import Client
from scripts.stage.policy import ISSUER, Place, install

CLIENT: Final = Client("bench", ("bench",))

# What an ordinary company would refuse to send to, or to hear from, a model. None of it is in the benchmark's texts.
_GUARDRAILS: Final[tuple[tuple[str, str, str], ...]] = (
    ("bulk-export", "prompt", r"(?i)\b(?:dump|export)\b.{0,40}\ball\b.{0,20}\bcustomers?\b"),
    ("instructions-override", "prompt", r"(?i)\bignore\b.{0,20}\b(?:previous|above|prior)\b.{0,20}\binstructions?\b"),
    ("system-prompt", "prompt", r"(?i)\b(?:reveal|print|repeat)\b.{0,20}\bsystem prompt\b"),
    ("developer-mode", "prompt", r"(?i)\b(?:developer|jailbreak|DAN) mode\b"),
    ("drop-table", "prompt", r"(?i)\b(?:drop|truncate)\s{1,4}table\b"),
    ("shell-pipe", "prompt", r"(?i)\bcurl\b.{0,80}\|\s{0,4}(?:ba)?sh\b"),
    ("payroll", "prompt", r"(?i)\b(?:payroll|salary) (?:file|list|run)\b"),
    ("merger", "prompt", r"(?i)\bproject (?:falcon|osprey|kestrel)\b"),
    ("legal-hold", "prompt", r"(?i)\b(?:attorney|solicitor)[- ]client\b"),
    ("source-dump", "prompt", r"(?i)\b(?:paste|upload) (?:the )?(?:whole|entire) (?:repo|repository|code base)\b"),
    ("medical", "prompt", r"(?i)\b(?:patient|medical) (?:record|file)s?\b"),
    ("weapons", "prompt", r"(?i)\b(?:build|make)\b.{0,20}\b(?:bomb|explosive)\b"),
    ("malware", "prompt", r"(?i)\bwrite\b.{0,20}\b(?:ransomware|keylogger)\b"),
    ("phishing", "prompt", r"(?i)\bphishing (?:mail|e-mail|page)\b"),
    ("credentials", "prompt", r"(?i)\b(?:my|the) (?:root )?password is\b"),
    ("classified", "completion", r"(?i)\btop[- ]secret\b"),
    ("internal-host", "completion", r"(?i)\b[a-z0-9-]{1,30}\.corp\.internal\b"),
    ("code-name", "completion", r"(?i)\bproject (?:falcon|osprey|kestrel)\b"),
    ("slur", "completion", r"(?i)\b(?:zounds|gadzooks)\b"),
    ("competitor", "completion", r"(?i)\b(?:acme|globex) (?:inc|corp)\b"),
)
DETECTORS: Final = (
    "email",
    "credit_card",
    "iban",
    "us_ssn",
    "phone",
    "ipv4",
    "ipv6",
    "aws_key",
    "github_token",
    "openai_key",
    "jwt",
    "private_key",
)
"""Built in; three of the policy's own make them fifteen."""
_OWN: Final = (
    {"name": "employee_id", "pattern": r"\bE\d{6}\b"},
    {"name": "ticket", "pattern": r"\bINC-\d{5,8}\b"},
    {"name": "badge", "pattern": r"\bBDG[A-Z]{2}\d{4}\b"},
)


def write_policy(directory: Path, place: Place) -> Path:
    """Write the benchmark's policy into `directory`."""
    return install(
        directory, place, {"access.yaml": _access(), "guardrails.yaml": _guardrails(), "masking.yaml": _masking()}
    )


def _access() -> dict[str, Any]:
    grant = {
        "id": "bench",
        "groups": [f"{ISSUER}:bench"],
        "upstreams": ["*"],
        "operations": ["chat"],
        "models": ["bench-*"],
        "parameters": {"max_tokens": {"max": 2048, "over": "clamp"}, "temperature": {"min": 0, "max": 1.2}},
    }
    return {"grants": [grant]}


def _guardrails() -> dict[str, Any]:
    return {
        "guardrails": [
            {"id": name, "on": [on], "match": {"pattern": pattern}, "action": "deny", "message": "Not here, please."}
            for name, on, pattern in _GUARDRAILS
        ]
    }


def _masking() -> dict[str, Any]:
    detect = [*DETECTORS, *(one["name"] for one in _OWN)]
    rule = {"id": "everything", "on": ["completion"], "detect": detect, "with": "label"}
    return {"masking": [rule], "detectors": list(_OWN)}
