"""``flask consent …`` as an app carries it: loaded when somebody types a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask.cli import AppGroup

if TYPE_CHECKING:
    import click

__all__ = ["CommandGroup"]


class CommandGroup(AppGroup):
    """The group of commands, which no request needs: a twentieth of our import."""

    def __init__(self) -> None:
        super().__init__("consent", help="Consent records: keys, publishing, checking.")

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all of them."""
        return _loaded().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, None if there is none."""
        return _loaded().get_command(ctx, cmd_name)


def _loaded() -> AppGroup:
    from consentkit.web.commands import make_commands  # noqa: PLC0415

    return make_commands()
