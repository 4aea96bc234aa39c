"""A batch as an app shares it: any kind of ids in, the same kind out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import session
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import Session
from sqlalchemy.orm import mapped_column

from consentkit.audit import verify_batch_entry
from consentkit.audit.trust import Trust
from consentkit.core.decision import Reason
from consentkit.errors import ConfigurationError
from consentkit.errors import ConsentDeniedError
from consentkit.errors import DeclarationError
from consentkit.log.leaf import read_leaf
from consentkit.testing import answer
from consentkit.web.gates import find_gates
from tests.declared import CREDIT
from tests.declared import SCORE
from tests.web.hosts import CHROME
from tests.web.hosts import Host
from tests.web.hosts import host

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

LONG = UUID("0d3adb33-f000-4000-8000-00000000002a")
BATCHES = "SELECT bytes FROM consent_leaf WHERE kind = 'disclosure-batch'"
DATA = {"spending"}


def agreed(shop: Host, *subjects: Any) -> None:
    for subject in subjects:
        answer(shop.client(str(subject)), "credit-score", {"acme-credit": "given"})


def handed_out(shop: Host, subjects: Any) -> list[Any]:
    share_many = shop.consent.share_many
    with (
        shop.app.app_context(),
        share_many(subjects, SCORE, recipient=CREDIT, data=DATA) as batch,
    ):
        return list(batch)


@pytest.mark.requirement("R74")
def test_ids_of_any_kind_come_back_as_they_were_given(tmp_path: Path) -> None:
    shop = host(tmp_path)
    agreed(shop, 7, LONG, "maya")
    assert handed_out(shop, iter([7, 8])) == [7]
    assert handed_out(shop, [LONG]) == [LONG]
    assert sorted(handed_out(shop, {"maya", "tom"})) == ["maya"]
    mixed = ["maya", 7, str(LONG), None, True, "a\nb", 10**5_000]
    assert sorted(handed_out(shop, mixed), key=str) == [str(LONG), 7, "maya"]
    assert sorted(handed_out(shop, [7, LONG, "maya"]), key=str) == [LONG, 7, "maya"]


@pytest.mark.requirement("R74")
def test_rows_of_one_column_are_ids_and_what_is_none_is_refused(tmp_path: Path) -> None:
    """Withheld would be all of them, and nobody would know why."""

    class Base(DeclarativeBase):
        pass

    class Person(Base):
        __tablename__ = "person"
        id: Mapped[int] = mapped_column(primary_key=True)

    engine = sa.create_engine("sqlite://")
    Base.metadata.create_all(engine)
    shop = host(tmp_path)
    agreed(shop, 7)
    with Session(engine) as session:
        session.add_all([Person(id=7), Person(id=8)])
        session.flush()
        ids = sa.select(Person.id)
        for rows in (session.execute(ids), session.execute(ids).all(), [(7,), (8,)]):
            assert handed_out(shop, rows) == [7]
        assert handed_out(shop, session.query(Person.id)) == [7]
        wrong: list[Any] = [
            session.scalars(sa.select(Person)),
            session.query(Person),
            session.execute(sa.select(Person.id, Person.id.label("again"))),
            ids.scalar_subquery(),
            ids.subquery(),
            Person.id,
            Person,
            sa.text("SELECT id FROM person"),
            None,
            7,
            [7.0],
            [b"7"],
        ]
        for each in wrong:
            with pytest.raises(DeclarationError, match=r"share_many takes .*; got a"):
                handed_out(shop, each)
    assert len(shop.sql(BATCHES)) == 4
    engine.dispose()


@pytest.mark.parametrize("amount", [-1, True, False, 2**53, 1.0, "1"])
def test_an_amount_that_is_none_is_refused_before_anything_is_written(
    amount: Any, tmp_path: Path
) -> None:
    shop = host(tmp_path)
    agreed(shop, 7)
    lines = "SELECT count(*) FROM consent_leaf"
    before = shop.sql(lines)
    about: dict[str, Any] = {"recipient": CREDIT, "data": DATA, "amount": amount}
    by_law: dict[str, Any] = {"basis": "legal-obligation", "by": "dpo", "reason": "r"}
    with shop.app.app_context():
        for share in (
            lambda: shop.consent.share(7, SCORE, **about),
            lambda: shop.consent.share_many([7], SCORE, **about),
            lambda: shop.consent.release_without_consent(7, "x", **by_law, **about),
        ):
            with pytest.raises(DeclarationError, match="amount must be"), share():
                pytest.fail("it ran")
    assert shop.sql(lines) == before


def test_a_statement_needs_the_consents_in_the_apps_own_database(
    tmp_path: Path,
) -> None:
    table = sa.table("person", sa.column("id", sa.Integer))
    apart = host(tmp_path / "apart")
    with pytest.raises(ConfigurationError, match="init_app"):
        handed_out(apart, sa.select(table.c.id))
    with pytest.raises(DeclarationError, match="for one person there is share"):
        handed_out(apart, "maya")

    engine = sa.create_engine(f"sqlite:///{tmp_path / 'shop.sqlite3'}")
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE person (id INTEGER)"))
        connection.execute(sa.text("INSERT INTO person VALUES (1), (2), (1), (NULL)"))
    shop = host(tmp_path / "shared", engine=engine)
    agreed(shop, 1)
    assert handed_out(shop, sa.select(table.c.id)) == [1]
    engine.dispose()


def test_what_the_apps_own_iterable_raises_comes_through(tmp_path: Path) -> None:
    shop = host(tmp_path)

    def broken() -> Iterator[str]:
        yield "maya"
        raise LookupError("the app's own")

    with pytest.raises(LookupError, match="the app's own"):
        handed_out(shop, broken())
    assert shop.sql(BATCHES) == []


def test_the_line_names_the_place_in_the_app_that_shares(tmp_path: Path) -> None:
    shop = host(tmp_path)
    agreed(shop, "maya")
    handed_out(shop, ["maya"])
    ((data,),) = shop.sql(
        "SELECT bytes FROM consent_leaf WHERE kind = 'disclosure-batch'"
    )
    body = read_leaf(data).body
    assert (body["caller"], body["amount"]) == (f"{__name__}:handed_out", 1)
    gates = find_gates(Path(__file__).parent)
    assert ("credit-score", "acme-credit") in {
        (each.purpose, each.recipient) for each in gates if each.shares
    }


@pytest.mark.requirement("R91")
def test_the_person_sees_the_batch_and_takes_its_proof_along(tmp_path: Path) -> None:
    shop = host(tmp_path)
    agreed(shop, "maya")
    handed_out(shop, ["maya", "tom"])
    shop.publish()
    page = shop.client("maya").get("/consent/disclosures", headers={"Accept": CHROME})
    text = page.get_data(as_text=True)
    assert "Shared." in text
    assert "Acme Credit Scoring Ltd" in text
    assert "/consent/receipts/" in text
    tom = shop.client("tom").get("/consent/disclosures", headers={"Accept": CHROME})
    assert "Refused: you had not answered." in tom.get_data(as_text=True)
    with shop.app.app_context():
        (told,) = shop.consent.export("maya")["batches"]
        trust = Trust.of(shop.state.installation.keyring.vkeys)
    assert verify_batch_entry(json.dumps(told["proof"]), trust=trust).index is not None


@pytest.mark.requirement("R88")
def test_a_browsers_signal_withholds_the_person_whose_request_it_is(
    tmp_path: Path,
) -> None:
    shop = host(tmp_path)
    agreed(shop, "maya", "tom")
    with shop.app.test_request_context(headers={"Sec-GPC": "1"}):
        session["person"] = "maya"
        share = shop.consent.share_many(
            ["maya", "tom"], SCORE, recipient=CREDIT, data=DATA
        )
        with share as batch:
            assert list(batch) == ["tom"]
            assert batch.withheld == 1


def test_a_purpose_for_nobody_is_refused_as_a_whole(tmp_path: Path) -> None:
    shop = host(tmp_path)
    with shop.app.app_context(), pytest.raises(ConsentDeniedError) as denied:
        shop.consent.share_many(
            ["maya"], "no-such", recipient=CREDIT, data=DATA
        ).__enter__()
    assert denied.value.decision.reason is Reason.PURPOSE_UNKNOWN
