"""All commands in one place, in the order in which a newcomer meets them."""

from __future__ import annotations

import typer

from importer.cli import history, importing, nightly, operating, profile_init, reference, serving
from importer.cli.long_help import EXIT_CODES, listed

app = typer.Typer(
    name="importer",
    help="Moves customers from CSV and Excel files onto the RocketKOR API: nothing lost, nothing twice.",
    epilog=(
        f"{listed('Exit codes', EXIT_CODES)}\n\n"
        "Try it: `importer run sample_data/customers.csv` sends to a built-in emulator, never to a real system."
    ),
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@app.callback(invoke_without_command=True)
def _importer(
    *,
    version: bool = typer.Option(False, "--version", help="Print the version and leave.", is_eager=True),  # noqa: FBT003
) -> None:
    if version:
        from importer.core.distribution import installed_version  # noqa: PLC0415

        typer.echo(f"importer {installed_version()}")
        raise typer.Exit


for module in (importing, nightly, profile_init, reference, history, serving, operating):
    module.register(app)
