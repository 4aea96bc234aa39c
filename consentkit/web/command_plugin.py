"""The commands as Flask finds them by their entry point, before it loads the app.

So ``flask consent keys new`` makes keys for an app that does not start without them;
every other command loads its app itself. An app that cannot be loaded for a reason of
ours, such as a wrong setting, is told like any other error of a command.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from typing import Any

from flask.cli import AppGroup

from consentkit.web.command_errors import told
from consentkit.web.commands import make_commands

if TYPE_CHECKING:
    import click

__all__ = ["consent"]


class _ToldGroup(AppGroup):
    """The group around the loading of the app, which happens within each command."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; our errors become one line and the exit status 1."""
        return told(partial(super().invoke, ctx))


_commands = make_commands()
consent = _ToldGroup(
    _commands.name, help=_commands.help, commands=dict(_commands.commands)
)
