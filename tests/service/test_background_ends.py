"""What a process did beside its requests is named when it ends."""

from __future__ import annotations

import subprocess
import sys

ENDS = """
import logging
from consentkit.service.background import start_thread
from consentkit.web.log_lines import JsonLines

handler = logging.StreamHandler()
handler.setFormatter(JsonLines())
logging.getLogger("consentkit").addHandler(handler)
logging.getLogger("consentkit").setLevel(logging.INFO)
start_thread("one", int, what="publishing")
start_thread("two", int, what="time-stamping")
"""


def test_each_work_of_a_process_is_named_where_it_begins_and_where_it_ends() -> None:
    done = subprocess.run(  # noqa: S603  our own arguments
        [sys.executable, "-c", ENDS], capture_output=True, text=True, check=True
    )

    for event in ("work-started", "work-ended"):
        lines = [each for each in done.stderr.splitlines() if f'"{event}"' in each]
        assert len(lines) == 2
        assert '"work": "publishing"' in lines[0]
        assert '"work": "time-stamping"' in lines[1]
