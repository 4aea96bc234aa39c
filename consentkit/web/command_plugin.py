"""The commands as Flask finds them by their entry point, before it loads the app.

So ``flask consent keys new`` makes keys for an app that does not start without them;
every other command loads its app itself. An app that cannot be loaded for a reason of
ours, such as a wrong setting, is told like any other error of a command.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import click
from flask.cli import AppGroup

from consentkit.errors import LogError
from consentkit.web.command_errors import told
from consentkit.web.commands import make_commands
from consentkit.web.doctor_commands import cannot_look
from consentkit.web.doctor_commands import doctor

__all__ = ["consent"]


class _ToldGroup(AppGroup):
    """The group around the loading of the app, which happens within each command."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; our errors become one line and the exit status 1.

        To find that nothing answers is what the doctor is for: its exit status is 2
        there, even if the app does not start without the database.
        """
        try:
            return told(partial(super().invoke, ctx))
        except click.ClickException as told_of:
            reason = told_of.__cause__
            if ctx.invoked_subcommand == doctor.name and isinstance(reason, LogError):
                cannot_look(reason)
            raise


_commands = make_commands()
consent = _ToldGroup(
    _commands.name, help=_commands.help, commands=dict(_commands.commands)
)
