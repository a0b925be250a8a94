"""`edgeward`: finds the sub-command, runs it, turns errors into one line and an exit code.

Exit codes: 0 done, 1 it could not be done, 2 it was asked for wrongly, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import typer

import edgeward
from edgeward.errors import EdgewardError, OptionError

from .lazy import LazyGroup

# Sub-command -> function, as "module:name". Order is that of the help text.
COMMANDS = {
    "pull": "edgeward.quantize.cli:pull",
    "chat": "edgeward.cli.chat:chat",
    "run": "edgeward.cli.run:run",
    "embed": "edgeward.cli.embed:embed",
    "batch": "edgeward.cli.batch:batch",
    "eval": "edgeward.quantize.evaluate.command:evaluate",
    "serve": "edgeward.cli.serve:serve",
    "bench": "edgeward.bench.cli:app",
    "gate": "edgeward.bench.cli.gate:gate",
    "privacy": "edgeward.cli.privacy:privacy",
    "quantize": "edgeward.quantize.quantize_cli:quantize",
    "pack": "edgeward.quantize.pack_cli:pack",
    "verify": "edgeward.quantize.pack_cli:verify",
    "publish": "edgeward.quantize.publish_cli:publish",
    "update": "edgeward.cli.fleet:update",
    "rollback": "edgeward.cli.fleet:rollback",
    "doctor": "edgeward.cli.doctor:doctor",
}


class Commands(LazyGroup):
    """The commands above."""

    table = COMMANDS


app = typer.Typer(
    cls=Commands, add_completion=False, no_args_is_help=True, rich_markup_mode="markdown"
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"edgeward {edgeward.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Run small language models on this device.

    Start with `edgeward pull smollm2-135m`, then `edgeward chat smollm2-135m`.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the program and leave with its exit code."""
    try:
        sys.exit(app(args=arguments, prog_name="edgeward", standalone_mode=False) or 0)
    except OptionError as error:
        _fail(error, 2)
    except EdgewardError as error:
        _fail(error, 1)
    except (KeyboardInterrupt, typer.Abort):
        print("interrupted.", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output went away (`| head`): not an error, and nothing to say to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        _unexpected(error)


def _unexpected(error: Exception) -> NoReturn:
    # Errors of usage are click's in older versions of typer and its own copies in newer ones.
    say = getattr(error, "format_message", None)
    if say is None:
        told = EdgewardError(
            f"{type(error).__name__}: {error}. This is a fault in edgeward; please report it with "
            f"the output of the same command under EDGEWARD_DEBUG=1."
        )
        _fail(told, 1, error)
    context = getattr(error, "ctx", None)
    if not say():
        sys.exit(2)  # a group without a command has printed its help
    command = context.command_path if context is not None else "edgeward"
    _fail(OptionError(f"{say().rstrip('.')}. `{command} --help` shows what it takes."), 2)


def _fail(error: EdgewardError, code: int, cause: BaseException | None = None) -> NoReturn:
    if os.environ.get("EDGEWARD_DEBUG") == "1":
        raise cause or error
    print(f"error: {error}", file=sys.stderr)
    sys.exit(code)
