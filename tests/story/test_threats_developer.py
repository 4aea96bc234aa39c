"""Attacks from within the app: by its developer, who has no person to ask.

What a developer can call is tried by introspection, so that a method that is added
later is tried as well. What a holder of the collector's key can do is tried too:
nothing of ours finds that, and ``docs/threats.md`` says so.
"""

from __future__ import annotations

import ast
import inspect
from contextlib import suppress
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import Session

import consentkit
from consentkit import ConsentKit
from consentkit.audit.bundle import FolderSource
from consentkit.audit.verify import verify_log
from consentkit.core.act import Actor
from consentkit.core.act import Assurance
from consentkit.core.act import State
from consentkit.core.decision import ShareRequest
from consentkit.core.representative import Representative
from consentkit.errors import ConsentKitError
from consentkit.log.keys import Ed25519Signer
from consentkit.log.leaf import read_leaf
from consentkit.log.leaf import sign_leaf
from consentkit.service.publishing import publish_all
from consentkit.testing import answer
from consentkit.web.state import current_state
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet
from tests.story.rewriting import findings
from tests.story.rewriting import index_of
from tests.web.hosts import MAYA
from tests.web.hosts import Host
from tests.web.hosts import host

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator

    from consentkit.log.keys import Signer
    from consentkit.log.leaf import Leaf

HOME = Path(consentkit.__file__).parent
SCORER = "acme-credit"
SCORER_HOST = "https://api.acme-credit.example"
BY = {"by": "mallory", "reason": "because"}
NOW = datetime.now(UTC)
ONCE = NOW - timedelta(days=1)
LATER = NOW + timedelta(days=30)

# -- a developer without a person -----------------------------------------------------


def joined(kit: ConsentKit, who: str, act: str) -> None:
    """Every act that can be written in a transaction of the app's own."""
    engine = current_state().installation.database.engine
    with Session(sa.create_engine(engine.url)) as session, kit.joining(session):
        for name in ("correct", "delegate", "end_delegation", "erase", "revoke"):
            with suppress(ConsentKitError):
                CALLS[name](kit, who, act)
    session.get_bind().dispose()


def accompanied(kit: ConsentKit, who: str, act: str) -> None:
    """An act beside which the app writes what it likes."""
    kit.within_act(lambda _connection, _act: None)
    try:
        CALLS["correct"](kit, who, act)
    finally:
        kit._loaders.companion = None


CALLS: dict[str, Callable[[ConsentKit, str, str], object]] = {
    "account_label_loader": lambda kit, *_: kit.account_label_loader(str),
    "allowed_clause": lambda kit, *_: kit.allowed_clause(
        sa.literal("mallory"), "credit-score", recipient=SCORER
    ),
    "administrative_acts": lambda kit, *_: kit.administrative_acts(),
    "birthday_loader": lambda kit, *_: kit.birthday_loader(lambda _: None),
    "check": lambda kit, who, _: [
        kit.check(
            who,
            "credit-score",
            recipient=SCORER,
            min_assurance=each,
            max_staleness=timedelta.max,
        )
        for each in Assurance
    ],
    "check_many": lambda kit, who, _: kit.check_many(
        [ShareRequest(who, *CREDIT_SCORE, None, each) for each in Assurance],
        max_staleness=timedelta.max,
    ),
    "confirmation_sender": lambda kit, *_: kit.confirmation_sender(lambda _: None),
    "correct": lambda kit, who, act: kit.correct(
        who, wrong=act, said={CREDIT_SCORE: ["spending"]}, **BY
    ),
    "delegate": lambda kit, who, _: kit.delegate(
        who, to="mallory", label="M", purposes=["credit-score"], until=LATER
    ),
    "delegations": lambda kit, who, _: kit.delegations(who),
    "disclosures": lambda kit, who, _: kit.disclosures(who),
    "end_delegation": lambda kit, who, act: kit.end_delegation(who, act),
    "erase": lambda kit, who, _: kit.erase(who, reason="request", by="mallory"),
    "export": lambda kit, who, _: kit.export(who),
    "erasure_handler": lambda kit, *_: kit.erasure_handler(lambda _: None),
    "guarded_pool": lambda kit, *_: kit.guarded_pool().request("GET", SCORER_HOST),
    "guarded_session": lambda kit, *_: kit.guarded_session().get(SCORER_HOST),
    "history": lambda kit, who, _: kit.history(who),
    "init_app": lambda kit, *_: kit.init_app(current_app),
    "invalidate": lambda kit, *_: kit.invalidate(since=ONCE, until=NOW, **BY),
    "joining": joined,
    "receipt": lambda kit, who, act: kit.receipt(who, act),
    "release_without_consent": lambda kit, who, _: kit.release_without_consent(
        who,
        "credit-score",
        recipient=SCORER,
        data={"spending"},
        basis="legal-obligation",
        evidence="an order",
        **BY,
    ).__enter__(),
    "representative_loader": lambda kit, *_: kit.representative_loader(lambda: None),
    "require": lambda kit, *_: kit.require("credit-score", recipient=SCORER)(
        lambda: "ran"
    )(),
    "resume": lambda kit, *_: kit.resume("credit-score", recipient=SCORER, **BY),
    "revoke": lambda kit, who, _: [
        kit.revoke(who, "credit-score", by=each)
        for each in (*Actor, Representative(who, by="m", actor="parent", label="M"))
    ],
    "role_loader": lambda kit, *_: kit.role_loader(set),
    "share": lambda kit, who, _: kit.share(
        who, "credit-score", recipient=SCORER
    ).__enter__(),
    "share_many": lambda kit, who, _: list(
        kit.share_many([who], "credit-score", recipient=SCORER).__enter__()
    ),
    "subject_loader": lambda kit, *_: kit.subject_loader(lambda: MAYA),
    "suspend": lambda kit, *_: kit.suspend("credit-score", recipient=SCORER, **BY),
    "within_act": accompanied,
}


def leaves(shop: Host) -> list[Leaf]:
    rows = shop.sql("SELECT bytes FROM consent_leaf ORDER BY position")
    return [read_leaf(data) for (data,) in rows]


def grants(leaf: Leaf) -> bool:
    return any(
        each["state"] in {"given", "renewed"} for each in leaf.body.get("choices", ())
    )


@pytest.mark.requirement("R23", "R115")
def test_no_call_that_a_developer_can_make_agrees_for_a_person(tmp_path: Path) -> None:
    assert set(CALLS) == {
        name
        for name, value in inspect.getmembers(ConsentKit)
        if callable(value) and not name.startswith("_")
    }, "a new method is to be tried here as well"
    shop = host(tmp_path)
    people = {
        f"{said}-{name}": name for said in ("refused", "deferred") for name in CALLS
    }
    for who in people:
        said = {"acme-credit": who.partition("-")[0]}
        answer(shop.client(who), "credit-score", said)
    acts = [leaf.id for leaf in leaves(shop) if leaf.kind == "choice"]

    for (who, name), act in zip(people.items(), acts, strict=True):
        for subject in (who, f"nobody-{name}"):
            with shop.app.test_request_context(), suppress(ConsentKitError):
                CALLS[name](shop.consent, subject, act)

    assert shop.grants() == []
    assert not any(map(grants, leaves(shop)))


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Every call in a module, with the function that it stands in."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Call):
                    yield function.name, node


READERS = {"read_answer", "read_again", "_own_link"}


def named(node: ast.expr) -> str:
    return ast.unparse(node).rpartition(".")[2]


@pytest.mark.requirement("R115")
def test_one_function_writes_choices_and_views_with_a_token_lead_to_it() -> None:
    writers, pens, askers, readers = set(), set(), set(), set()
    by_form = set()
    for path in HOME.rglob("*.py"):
        where = path.relative_to(HOME).as_posix()
        for function, call in calls(ast.parse(path.read_text("utf-8"))):
            given = {ast.unparse(each) for each in call.args}
            given |= {ast.unparse(each.value) for each in call.keywords}
            place = f"{where}:{function}"
            if "Kind.CHOICE" in given:
                writers.add(place)
            if named(call.func) == "write_choices":
                pens.add(place)
            if named(call.func) == "_chosen":
                by_form.add(place)
            if named(call.func) in {"choose", "confirm", "send_again"}:
                askers.add(place)
            # Opening a link only shows what it is about.
            if named(call.func) in READERS and function != "_open":
                readers.add(place)

    assert writers == {"service/choosing.py:write_choices"}
    assert pens == {
        "service/choosing.py:_chosen",
        "service/confirming.py:confirm",
        "service/confirming.py:send_again",
    }
    assert by_form == {"service/choosing.py:choose"}
    views = {"_confirm", "_again"}
    assert askers == {
        "web/api_choices.py:_choices",
        "web/centre.py:_choices",
        *(f"web/confirmation_routes.py:{each}" for each in views),
    }
    assert readers == askers


def test_nothing_in_the_service_claims_more_than_a_session() -> None:
    for path in (HOME / "service").glob("*.py"):
        text = path.read_text("utf-8")
        if path.name != "confirming.py":
            assert "Assurance.CONFIRMED" not in text, path.name
        assert "Assurance.SIGNED" not in text, path.name
        if path.name != "choosing.py":
            assert "Assurance.SESSION" not in text, path.name


def invent(wallet: Wallet, signer: Signer) -> Leaf:
    """A yes of Alice after her no, by SQL, with a signature of this key."""
    no, yes = wallet.leaves("choice")
    body = {
        **no.body,
        "challenge": "c" * 64,
        "choices": yes.body["choices"],
        "id": "f" * 32,
        "prev": no.hash.hex(),
        "seq": 1,
    }
    leaf = read_leaf(sign_leaf(body, signer))
    wallet.sql(
        "INSERT INTO consent_leaf "
        "(log, id, kind, hash, bytes, handle, seq, challenge, time) "
        "SELECT log, ?, kind, ?, ?, handle, 1, ?, time FROM consent_leaf WHERE id = ?",
        *(leaf.id, leaf.hash, leaf.data, "c" * 64, no.id),
    )
    wallet.damaged = True
    publish_all(wallet.installation)
    return leaf


@pytest.fixture
def wallet(tmp_path: Path) -> Wallet:
    """Alice said no, Bob yes."""
    wallet = Wallet(tmp_path / "wallet")
    wallet.answer("alice", CREDIT_SCORE, said=State.REFUSED)
    wallet.answer("bob", CREDIT_SCORE)
    return wallet


@pytest.mark.requirement("R46", "R95")
def test_what_was_shared_on_a_no_turned_into_a_yes_by_sql_is_named(
    wallet: Wallet,
) -> None:
    """The gate believes its table; the entry that it rests on does not."""
    wallet.damaged = True
    wallet.sql(
        "UPDATE consent_state SET (state, data, until) = (SELECT state, data, until "
        "FROM consent_state WHERE subject = 'bob') WHERE subject = 'alice'"
    )
    wallet.share("alice", CREDIT_SCORE)
    publish_all(wallet.installation)
    (shared,) = wallet.leaves("disclosure")

    (found,) = findings(wallet)

    assert (found.step, found.entry) == ("grant", index_of(wallet, shared))


@pytest.mark.requirement("R95", "R97")
def test_a_yes_invented_by_sql_has_no_collectors_signature_and_is_named(
    wallet: Wallet,
) -> None:
    name = wallet.installation.keyring.collector.name
    leaf = invent(wallet, Ed25519Signer.generate(name))

    (found,) = findings(wallet)

    assert (found.layer.value, found.step) == ("records", "signature")
    assert found.entry == index_of(wallet, leaf)


def test_who_holds_the_collectors_key_can_invent_a_yes_and_it_counts_as_session(
    wallet: Wallet,
) -> None:
    """Not found by anything here: a stronger proof has to come from the person."""
    invent(wallet, wallet.installation.keyring.collector)

    verified = verify_log(FolderSource(wallet.logs), trust=wallet.trust)

    assert verified.assurances == {"session": 3}
    assert "how far the person's own part is proven: session 3" in verified.lines()
