"""`penstock serve`: the gateway, for production."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("serve")
@click.option(
    "--rules",
    type=click.Path(path_type=Path, readable=False),
    default=Path("rules"),
    show_default=True,
    help="Directory with the policy; a change takes effect within two seconds.",
)
@click.option("--data", type=click.Path(path_type=Path), help="Directory of the audit; default: `data:` of the policy.")
@click.option(
    "--worker", default="0", show_default=True, help="Name of this process in the audit, when there are several."
)
def command(rules: Path, data: Path | None, worker: str) -> None:
    """Stand in front of the model servers and govern every call, until stopped."""
    from penstock.proxy import serve

    serve.run(rules, data=data, worker=worker, ready=lambda line: click.echo(f"penstock: {line}"))
