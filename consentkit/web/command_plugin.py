"""The commands as Flask finds them by their entry point, before it loads the app.

So ``flask consent keys new`` makes keys for an app that does not start without them;
every other command loads its app itself.
"""

from __future__ import annotations

from consentkit.web.commands import make_commands

__all__ = ["consent"]

consent = make_commands()
