"""The command line as typer has it: its help, and what it says of a command line that can't be meant."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from advisor.cli.command import Command, Parameter


def build(commands: Mapping[str, tuple[str, Command]]) -> typer.Typer:
    """The application.

    Args:
        commands: panel of the help and command, by name; ``a b`` is the command ``b`` of the group ``a``, which is a
            command, too.
    """
    app = typer.Typer(
        name="advisor",
        help="Say which sysctl and nginx settings hold this host back, with the measured numbers, and write the patch.",
        epilog="Exit codes: 0 fine, 1 a gate failed, 2 usage or rule, 3 a target could not be read or judged.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_top)
    groups = {name.partition(" ")[0] for name in commands if " " in name}
    for name, (panel, command) in commands.items():
        group, _, inner = name.partition(" ")
        if group not in groups:
            app.command(name, rich_help_panel=panel)(_typed(command))
        elif not inner:
            below = {one.partition(" ")[2]: found for one, (_, found) in commands.items() if one.startswith(f"{name} ")}
            app.add_typer(_group(command, below), name=name, rich_help_panel=panel)
    return app


def _top(
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.", is_eager=True)] = False,
) -> None:
    if version:
        from advisor import __version__

        typer.echo(f"advisor {__version__}")
        raise typer.Exit


def _group(command: Command, below: Mapping[str, Command]) -> typer.Typer:
    """A command that has commands below it; alone it takes no options."""
    app = typer.Typer(help=inspect.getdoc(command.function), invoke_without_command=True)

    def alone(context: typer.Context) -> None:
        if context.invoked_subcommand is None:
            raise typer.Exit(command.run({}))

    alone.__doc__ = command.function.__doc__
    app.callback()(alone)
    for name, one in below.items():
        app.command(name)(_typed(one))
    return app


def _typed(command: Command) -> Callable[..., int]:
    """A function whose signature tells typer what the command takes."""

    def run(**values: Any) -> int:  # noqa: ANN401 (of the types of the signature)
        return command.run(values)

    parameters = [_parameter(one) for one in command.parameters()]
    run.__doc__ = command.function.__doc__
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # functions take it
    return run


def _parameter(one: Parameter) -> inspect.Parameter:
    option = one.option
    make = typer.Option if option.names else typer.Argument
    told = make(*option.names, metavar=option.metavar, help=option.help, min=option.low, max=option.high)
    default = inspect.Parameter.empty if one.required else one.default
    return inspect.Parameter(
        one.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[one.hint, told]
    )
