"""The rivals, each told the same: who agreed that the affiliate gets that data.

Whoever did not agree is not told of, as all of them say no by default. None of them
knows expiry, change of what was agreed to, assurance or suspension: an app that uses
one has to keep its facts up to date itself. They are made as their documents advise,
filled in the fastest way that they offer, and asked for one answer at a time.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tests.declared import CREDIT
from tests.declared import SCORE
from tests.declared import SPENDING

__all__ = ["RIVALS", "Ask", "Rival", "is_installed", "make_dpdpkit"]

Ask = Callable[[str], bool]
"""Whether the affiliate may get the spending history of that person."""

_MODEL = """
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.sub == p.sub && r.obj == p.obj && r.act == p.act
"""
_SHARE = f"{SCORE.id} for {CREDIT.id}"
_COPY = """
INSERT INTO dpdp_consent_events
SELECT 'ce_' || :seq, tenant_id, :seq, :person, purpose, action, notice_version,
       notice_hash, locale, source, occurred_at, meta, prev_hash, hash
FROM dpdp_consent_events WHERE seq = 1
"""


@dataclass(frozen=True)
class Rival:
    """One rival: how it is made, from the people who agreed and a folder of its own.

    ``largest`` is the number of people above which it is not run, and ``because`` why.
    """

    name: str
    module: str
    make: Callable[[Sequence[str], Path], Ask]
    largest: int = 1_000_000
    because: str = ""

    @property
    def is_installed(self) -> bool:
        """Whether it can be run here."""
        return is_installed(self.module)


def is_installed(module: str) -> bool:
    """Whether there is such a module here."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # not even what it is a part of
        return False


def _enforcer(agreed: Sequence[str], _folder: Path) -> Ask:
    import casbin  # noqa: PLC0415  may be missing

    enforcer = casbin.Enforcer(casbin.Enforcer.new_model(text=_MODEL))
    enforcer.add_policies([[person, SPENDING.id, _SHARE] for person in agreed])
    return lambda person: bool(enforcer.enforce(person, SPENDING.id, _SHARE))


def _fast_enforcer(agreed: Sequence[str], _folder: Path) -> Ask:
    import casbin  # noqa: PLC0415  may be missing
    from casbin.model import FastModel  # noqa: PLC0415  may be missing

    order = [0, 1]
    model = FastModel(order)
    model.load_model_from_text(_MODEL)
    enforcer = casbin.FastEnforcer(model, cache_key_order=order)
    rules = enforcer.model["p"]["p"].policy
    for person in agreed:  # ``add_policy`` counts all rules for each that is added
        rules.append([person, SPENDING.id, _SHARE])
    return lambda person: bool(enforcer.enforce(person, SPENDING.id, _SHARE))


def _cedar(agreed: Sequence[str], _folder: Path) -> Ask:
    import cedarpy  # noqa: PLC0415  may be missing

    share = {"type": "Share", "id": _SHARE}
    policies = cedarpy.PolicySet.from_str(
        'permit(principal, action == Action::"share", resource)'
        " when { principal.agreed.contains(resource) };"
    )
    people = [
        {
            "uid": {"type": "Person", "id": person},
            "attrs": {"agreed": [{"__entity": share}]},
            "parents": [],
        }
        for person in agreed
    ]
    entities = cedarpy.Entities.from_json_str(json.dumps(people))
    asked = {
        "action": 'Action::"share"',
        "resource": f'Share::"{_SHARE}"',
        "context": {},
    }

    def ask(person: str) -> bool:
        request = {"principal": f'Person::"{person}"', **asked}
        return bool(cedarpy.is_authorized(request, policies, entities).allowed)

    return ask


def _oso(agreed: Sequence[str], _folder: Path) -> Ask:
    from oso import Oso  # noqa: PLC0415  may be missing

    oso = Oso()
    what = f'"{SCORE.id}", "{CREDIT.id}", "{SPENDING.id}"'
    facts = "".join(f'agreed("{person}", {what});\n' for person in agreed)
    # It warns where no rule is called ``allow``; the facts alone are asked, and faster.
    oso.load_str(f'{facts}allow(person, "share", _) if agreed(person, {what});')

    def ask(person: str) -> bool:
        found = oso.query_rule("agreed", person, SCORE.id, CREDIT.id, SPENDING.id)
        return next(found, None) is not None

    return ask


def make_dpdpkit(folder: Path) -> Callable[[str], object]:
    """A way to record that somebody agrees, in an SQLite file ``dpdpkit`` in there."""
    return _kit(folder).grant_to


@dataclass(frozen=True)
class _Kit:
    grant_to: Callable[[str], object]
    check: Ask


def _kit(folder: Path) -> _Kit:
    import dpdpkit  # noqa: PLC0415  may be missing
    from dpdpkit.fastapi.repository import SqlAlchemyRepository  # noqa: PLC0415

    repository = SqlAlchemyRepository(f"sqlite:///{folder / 'dpdpkit'}")
    repository.create_all()
    purpose = dpdpkit.Purpose(
        id=SCORE.id,
        title="Score",
        data_items=[SPENDING.id],
        processors=[CREDIT.id],
        tenant_id="default",
    )
    processor = dpdpkit.Processor(id=CREDIT.id, name="Credit", tenant_id="default")
    kit = dpdpkit.Kit(
        repository,
        "dpdp-rules-2025.v1",
        registry=dpdpkit.Registry([purpose], processors=[processor]),
        signing_key="no secret",
        contact={"email": "privacy@wallet.example"},
    )
    links = dict.fromkeys(kit.policy.required_links, "https://wallet.example/")
    notice = kit.notices.build_content(title="May we?", links=links)
    kit.notices.publish({kit.policy.default_language: notice})
    return _Kit(
        lambda person: kit.consent.grant(person, SCORE.id),
        lambda person: kit.consent.check(person, SCORE.id),
    )


def _dpdpkit(agreed: Sequence[str], folder: Path) -> Ask:
    kit = _kit(folder)
    kit.grant_to(agreed[0])
    with closing(sqlite3.connect(folder / "dpdpkit")) as connection, connection:
        # A million of its own grants would take half an hour. Its check reads no hash.
        rows = ({"seq": n + 1, "person": agreed[n]} for n in range(1, len(agreed)))
        connection.executemany(_COPY, rows)
    return kit.check


RIVALS = (
    Rival("pycasbin FastEnforcer", "casbin", _fast_enforcer),
    Rival(
        *("pycasbin Enforcer", "casbin", _enforcer),
        largest=10_000,
        because="every check walks through all rules",
    ),
    Rival("cedarpy", "cedarpy", _cedar),
    Rival("oso", "oso", _oso),
    Rival("dpdpkit on SQLite", "dpdpkit.fastapi", _dpdpkit),
)
