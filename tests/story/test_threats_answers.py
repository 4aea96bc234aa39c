"""Attacks on the answer itself: sent again, given to another text, or only claimed.

Each is tried by the door that people use, on a real app.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING
from typing import Any

import pytest
import requests

from consentkit.audit.bundle import FolderSource
from consentkit.audit.trust import Trust
from consentkit.audit.verify import verify_log
from consentkit.core.act import Actor
from consentkit.core.act import Assurance
from consentkit.core.act import Channel
from consentkit.core.act import Choice
from consentkit.core.act import Kind
from consentkit.core.act import Millis
from consentkit.core.act import State
from consentkit.core.decision import Reason
from consentkit.errors import ConfigurationError
from consentkit.errors import MalformedError
from consentkit.log.leaf import read_leaf
from consentkit.log.leaf import sign_leaf
from consentkit.service.ending import Manner
from consentkit.service.ending import append_answers
from consentkit.service.publishing import publish_all
from consentkit.service.recording import PersonRecorder
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet
from tests.story.rewriting import findings
from tests.story.rewriting import index_of
from tests.story.rewriting import replace
from tests.web.hosts import MAYA
from tests.web.hosts import Host
from tests.web.hosts import host

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from consentkit.log.leaf import Leaf
    from tests.running import Running

# -- a form that is sent again --------------------------------------------------------


def rows(running: Running, query: str) -> list[tuple[Any, ...]]:
    path = running.instance / "wallet" / "consentkit" / "consent.sqlite3"
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.requirement("R115", "R119")
def test_a_form_posted_twenty_times_at_once_is_one_act_with_one_receipt(
    running: Running,
) -> None:
    amal = running.sign_in("amal")
    page = amal.get("/consent/ask/credit-score").text
    form = {
        "token": re.findall(r'name="token" value="([^"]+)"', page)[-1],
        "choice.credit-score.acme-credit": "refused",
    }
    url, cookies = f"{running.wallet}/consent/choices", amal.session.cookies
    choices = "SELECT count(*) FROM consent_leaf WHERE kind = 'choice'"
    ((before,),) = rows(running, choices)

    def post(_: int) -> tuple[int, tuple[str, ...]]:
        sent = requests.post(url, data=form, cookies=cookies, timeout=60)
        found = re.findall(r'href="(/consent/receipts/[0-9a-f]{32})"', sent.text)
        return sent.status_code, tuple(found)

    with ThreadPoolExecutor(20) as pool:
        answers = Counter(pool.map(post, range(20)))

    ((status, receipts), times) = answers.popitem()
    assert (status, times, answers) == (200, 20, {})
    assert len(set(receipts)) == 1
    assert rows(running, choices) == [(before + 1,)]


# -- another text than the one that was shown -----------------------------------------


def rewritten(folder: Path, shop: Host, *, old: str, new: str) -> Callable[..., None]:
    """A later release of the app, with a notice template of its own."""
    environment = shop.app.jinja_env
    assert environment.loader
    source, _, _ = environment.loader.get_source(environment, "consentkit/notice.html")
    assert old in source
    (folder / "consentkit").mkdir(parents=True)
    (folder / "consentkit" / "notice.html").write_text(source.replace(old, new))
    return lambda app: setattr(app, "template_folder", folder)


def page_of(shop: Host) -> tuple[str, str, str]:
    """The question as Maya sees it; its fingerprint, and the token of its form."""
    page = shop.client(MAYA).get("/consent/ask/credit-score").text
    (digest,) = set(re.findall(r'"/consent/notices/([0-9a-f]{64})', page))
    return page, digest, re.findall(r'name="token" value="([^"]+)"', page)[-1]


@pytest.mark.requirement("R16", "R38")
def test_a_template_changed_before_the_answer_does_not_change_what_was_answered(
    tmp_path: Path,
) -> None:
    old = host(tmp_path / "app")
    page, digest, token = page_of(old)
    lead = '<p class="consentkit-lead">'
    later = rewritten(tmp_path / "new", old, old=lead, new=f"{lead}New: ")
    new = host(tmp_path / "app", before=later)

    form = {"token": token, "choice.credit-score.acme-credit": "given"}
    assert new.client(MAYA).post("/consent/choices", data=form).status_code == 303

    ((data,),) = new.sql("SELECT bytes FROM consent_leaf WHERE kind = 'choice'")
    act = read_leaf(data)
    assert act.body["notice"] == digest
    kept = new.client().get(f"/consent/notices/{digest}.html").text
    assert kept in page
    assert "New: " not in kept
    swapped, other, _ = page_of(new)
    shown = new.client().get(f"/consent/notices/{other}.html").text
    assert other != digest
    assert shown in swapped, "the other text is on file for good"
    assert "New: " in shown


@pytest.mark.requirement("R16", "D01")
def test_an_app_whose_notice_is_ticked_beforehand_does_not_start(
    tmp_path: Path,
) -> None:
    honest = host(tmp_path / "app")
    box = 'type="checkbox"'
    ticked = rewritten(tmp_path / "new", honest, old=box, new=f"{box} checked")

    with pytest.raises(ConfigurationError, match="D01 preselected-control"):
        host(tmp_path / "app", before=ticked)


@pytest.mark.requirement("R38", "R95")
def test_an_answer_to_a_notice_that_was_never_logged_is_named(tmp_path: Path) -> None:
    wallet = Wallet(tmp_path / "wallet")
    wallet.answer("alice", CREDIT_SCORE)
    wallet.answer("bob", CREDIT_SCORE, said=State.REFUSED)
    publish_all(wallet.installation)
    replace(wallet, [leaf for leaf in wallet.leaves() if leaf.kind != Kind.NOTICE])

    named = [(each.step, each.entry) for each in findings(wallet)]

    assert named == [
        ("notice", index_of(wallet, leaf)) for leaf in wallet.leaves("choice")
    ]


# -- somebody else who says that there was consent ------------------------------------


def claim(shop: Host, subject: str) -> Leaf:
    """What a partner says was agreed to, taken into the log as such."""
    installation = shop.state.installation
    question = installation.registry.question(*CREDIT_SCORE)
    assert question
    with installation.ledger.write() as transaction:
        recorder = PersonRecorder.lock(installation, transaction, subject)
        choice = Choice(
            *CREDIT_SCORE,
            data=("spending",),
            scope=question.scope,
            state=State.GIVEN,
            until=Millis(recorder.now + 1_000_000),
        )
        manner = Manner(Actor.SUBJECT, channel=Channel.IMPORT)
        return append_answers(
            recorder, Kind.IMPORT, [choice], manner=manner, source="partner"
        )


def test_a_claim_of_a_partner_opens_no_gate_that_asks_for_the_person(
    tmp_path: Path,
) -> None:
    shop = host(tmp_path)
    leaf = claim(shop, MAYA)

    assert shop.grants() == [(MAYA, *CREDIT_SCORE)]
    with shop.app.app_context():
        for least in Assurance:
            decision = shop.consent.check(
                MAYA,
                "credit-score",
                recipient="acme-credit",
                data={"spending"},
                min_assurance=least,
            )
            assert bool(decision) is (least is Assurance.ASSERTED)
            assert decision or decision.reason is Reason.NOT_ASKED
    assert shop.client(MAYA).post("/score").status_code == 403

    shop.publish()
    folder, keyring = (
        shop.state.installation.log_folder,
        shop.state.installation.keyring,
    )
    verified = verify_log(FolderSource(folder), trust=Trust.of(keyring.vkeys))
    assert verified.assurances == {"asserted": 1}
    for stronger in set(Assurance) - {Assurance.ASSERTED}:
        with pytest.raises(MalformedError):
            sign_leaf({**leaf.body, "assurance": stronger.value}, keyring.collector)
