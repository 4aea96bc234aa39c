"""The log layer of a verification, against nothing but the hashes of the leaves.

The reference hashes each leaf once, in memory. Ours reads the published files, takes
them apart, hashes leaves and tree, compares every tile and opens the checkpoint.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

from consentkit.audit.bundle import FolderSource
from consentkit.audit.report import Layer
from consentkit.audit.trust import Trust
from consentkit.audit.verify import verify_log
from consentkit.log.merkle import root_of
from consentkit.service.installation import Installation
from consentkit.service.publishing import publish_all
from consentkit.store.database import journal_mode
from tests.bench.measure import Line
from tests.bench.measure import arguments
from tests.bench.measure import circumstances
from tests.bench.measure import race
from tests.bench.measure import report
from tests.bench.measure import write
from tests.bench.world import signed_leaves
from tests.bench.world import world

LEAVES, SMOKE_LEAVES = 20_000, 600

PURE = "pure SHA-256 of the leaves"
LAYER = "verify, log layer"


def _hash(leaves: Sequence[bytes]) -> list[bytes]:
    return [hashlib.sha256(b"\x00" + data).digest() for data in leaves]


def _verify(installation: Installation) -> bytes:
    trust = Trust.of(installation.keyring.vkeys)
    source = FolderSource(installation.log_folder)
    return verify_log(source, trust=trust, layers=[Layer.LOG]).root


def main(argv: Sequence[str] | None = None) -> None:
    """Compare the root, then times."""
    asked = arguments(argv, __doc__, rounds=9)
    count = SMOKE_LEAVES if asked.smoke else LEAVES
    with world() as made:
        installation = made.installation
        with installation.ledger.write() as transaction:
            for leaf in signed_leaves(installation, made.question, count):
                transaction.append(leaf)
        publish_all(installation)
        leaves = list(installation.history.all_leaves())
        if _verify(installation) != root_of(_hash(leaves)):
            raise SystemExit("the verified root is not that of the leaves")
        contenders: Mapping[str, Callable[[], object]] = {
            PURE: lambda: _hash(leaves),
            LAYER: lambda: _verify(installation),
        }
        samples = race(contenders, rounds=asked.rounds)
    write(
        f"same root: {len(leaves):,} leaves of {len(leaves[-1])} bytes",
        circumstances(journal_mode(), asked.rounds),
        report(samples, [Line(PURE), Line(LAYER, PURE, 3.0)]),
    )


if __name__ == "__main__":
    main()
