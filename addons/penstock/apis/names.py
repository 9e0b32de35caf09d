"""Model names: one spelling each, so that a policy that names a model means it whatever the caller writes."""

from __future__ import annotations

import re
from typing import Final

from penstock.errors import invalid
from penstock.exchange import Json

LONGEST: Final = 512
_NAME: Final = re.compile(r"[!-~]+")

_HOST: Final = "registry.ollama.ai"
_NAMESPACE: Final = "library"
_TAG: Final = "latest"
# Ollama's own rules for the parts of a name (types/model/name.go); upper case is folded before.
_OLLAMA: Final = re.compile(
    r"(?:(?:(?P<host>[a-z0-9_][a-z0-9_.:-]{0,349})/)?(?P<namespace>[a-z0-9_][a-z0-9_-]{0,79})/)?"
    r"(?P<model>[a-z0-9_][a-z0-9_.-]{0,79})(?::(?P<tag>[a-z0-9_][a-z0-9_.-]{0,79}))?"
)


def model_name(value: Json, where: str = "/model") -> str:
    """A model's name as the caller wrote it: printable ASCII without spaces.

    Raises: Refusal when it is missing (the server's default model would be one that nobody judged) or not a name.
    """
    if value is None:
        raise invalid(f"The request must name a model ({where}).")
    if not isinstance(value, str) or len(value) > LONGEST or not _NAME.fullmatch(value):
        raise invalid(f"{where} must be a model's name: a string of printable ASCII without spaces.")
    return value


def elsewhere(name: str) -> bool:
    """Whether Ollama would forward the call to its cloud: the tag is `cloud` or ends in `-cloud`."""
    tag = name.rpartition(":")[2].lower() if ":" in name else ""
    return tag == "cloud" or (tag.endswith("-cloud") and "/" not in tag)


def ollama_name(value: Json, where: str = "/model") -> str:
    """The shortest spelling of an Ollama model: lower case, without default host, namespace and tag.

    `llama3`, `LLAMA3:latest` and `registry.ollama.ai/library/llama3` are one model, `llama3`. This spelling is what
    is judged, and what is forwarded.

    Raises: Refusal for what Ollama would not take for a name, and for `:local` (write the name without it).
    """
    name = model_name(value, where).lower()
    found = _OLLAMA.fullmatch(name)
    if found is None or found["tag"] == "local":
        raise invalid(f"{where} is not an Ollama model's name (`[[host/]namespace/]model[:tag]`).")
    host, namespace, model, tag = found.group("host", "namespace", "model", "tag")
    if host and host != _HOST:
        model = f"{host}/{namespace}/{model}"
    elif namespace and namespace != _NAMESPACE:
        model = f"{namespace}/{model}"
    return f"{model}:{tag}" if tag and tag != _TAG else model
