"""The `penstock` command: one subcommand a file, loaded only when it is used."""

from __future__ import annotations

import importlib
import sys
from typing import Final

import click

from penstock import __version__
from penstock.errors import PenstockError

# Subcommand -> the module of this folder that holds it, as a click command named `command`.
COMMANDS: Final = {
    "serve": "serve",
    "check": "check",
    "test": "test",
    "apis": "apis",
    "approvals": "approvals",
    "query": "query",
    "verify": "verify",
    "export": "export",
    "redirect": "redirect",
    "detectors": "detectors",
    "scan": "scan",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"penstock.cli.{COMMANDS[cmd_name]}")
        command = module.command
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="penstock")
def penstock() -> None:
    """The only path to the model: authenticate, judge, mask, hold and record every call."""


def main() -> None:
    """Entry point: an expected error is one line on stderr and exit status 1, never a trace back."""
    try:
        penstock(standalone_mode=True)
    except PenstockError as error:
        for line in str(error).splitlines() or [""]:
            print(f"penstock: {line}", file=sys.stderr)
        if error.advice:
            print(f"penstock: {error.advice}", file=sys.stderr)
        sys.exit(1)
