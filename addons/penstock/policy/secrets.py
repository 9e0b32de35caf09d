"""Secrets of a policy: `${env:NAME}`, `${file:PATH}` and `${credential:NAME}`, read when the policy is."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Final

from penstock.policy.directory import signed
from penstock.policy.marked import Mark
from penstock.policy.reading import Reading
from penstock.policy.settings import Secret

MAX_BYTES: Final = 65_536
_REFERENCE: Final = re.compile(r"\$\{([^}]*)\}")
_NAME: Final = re.compile(r"[A-Za-z0-9_.@-]+\Z")


def expand(text: str, mark: Mark, reading: Reading) -> Secret:
    """The text with every reference replaced by what it names.

    `env` is an environment variable; `file` a path, relative to the policy's directory; `credential` a file of
    systemd's CREDENTIALS_DIRECTORY. One newline at the end of a file is dropped. A literal text is taken as it is.
    """
    parts: list[str] = []
    at = 0
    for reference in _REFERENCE.finditer(text):
        parts += [text[at : reference.start()], _value(reference[1], mark, reading)]
        at = reference.end()
    if "${" in text[at:]:
        raise reading.wrong(mark, "'${' without '}': write ${env:NAME}, ${file:PATH} or ${credential:NAME}")
    if not parts:
        reading.warn(mark, "a secret stands in the policy itself: put it in a file and write ${file:PATH}")
    return Secret("".join([*parts, text[at:]]), source="".join(match[0] for match in _REFERENCE.finditer(text)))


def _value(reference: str, mark: Mark, reading: Reading) -> str:
    kind, colon, name = reference.partition(":")
    if not colon or not name or kind not in ("env", "file", "credential"):
        raise reading.wrong(mark, f"'${{{reference}}}' is none of ${{env:NAME}}, ${{file:PATH}}, ${{credential:NAME}}")
    if kind == "env":
        if name not in reading.environ:
            raise reading.wrong(mark, f"the environment variable {name} is not set")
        return _fit(reading.environ[name], f"the environment variable {name}", mark, reading)
    if kind == "file":
        return _content(reading.directory / name, name, mark, reading)
    directory = reading.environ.get("CREDENTIALS_DIRECTORY")
    if not directory:
        raise reading.wrong(
            mark, f"credential '{name}': CREDENTIALS_DIRECTORY is not set (systemd LoadCredential= does)"
        )
    if not _NAME.match(name) or name in (".", ".."):
        raise reading.wrong(mark, f"'{name}' is not the name of a credential")
    return _content(Path(directory) / name, f"credential {name}", mark, reading)


def _content(path: Path, name: str, mark: Mark, reading: Reading) -> str:
    reading.other_files[path] = None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            reading.other_files[path] = signed(found)
            mode = found.st_mode
            if not stat.S_ISREG(mode):
                raise reading.wrong(mark, f"the secret file {name} is not a regular file")
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise reading.wrong(mark, f"the secret file {name} cannot be read: {reason}") from None
    if mode & stat.S_IROTH:
        reading.warn(mark, f"the secret file {name} can be read by everyone on this machine: chmod 600")
    if len(data) > MAX_BYTES:
        raise reading.wrong(mark, f"the secret file {name} is larger than {MAX_BYTES} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise reading.wrong(mark, f"the secret file {name} is not UTF-8 text") from None
    return _fit(text.removesuffix("\n").removesuffix("\r"), f"the secret file {name}", mark, reading)


def _fit(value: str, name: str, mark: Mark, reading: Reading) -> str:
    if not value:
        raise reading.wrong(mark, f"{name} is empty")
    if not value.isprintable():
        raise reading.wrong(mark, f"{name} holds a line break or control character: it must be one line of text")
    return value
