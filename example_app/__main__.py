"""``python -m example_app``: start the wallet, the credit scorer and the shops."""

from __future__ import annotations

import sys

from example_app.options import parse_options
from example_app.runner import run

if __name__ == "__main__":
    sys.exit(run(parse_options()))
