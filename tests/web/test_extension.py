"""Setting consentkit up: once for each app, all at once or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from consentkit import ConsentKit
from consentkit.errors import ConfigurationError
from consentkit.errors import DeclarationError
from consentkit.errors import InvalidRequestError
from consentkit.service.openings import Opening
from consentkit.testing import answer
from tests import declared
from tests.web.hosts import MAYA
from tests.web.hosts import Host
from tests.web.hosts import bare_app
from tests.web.hosts import host


def test_two_apps_in_one_process_know_nothing_of_each_other(tmp_path: Path) -> None:
    one = host(tmp_path / "one")
    two = host(tmp_path / "two", registry=declared.registry(purposes=[declared.OFFERS]))

    answer(one.client(MAYA), "credit-score", {"acme-credit": "given"})

    assert one.allows(MAYA)
    assert not two.allows(MAYA)
    assert two.acts() == 0
    assert two.client(MAYA).get("/consent/ask/credit-score").status_code == 404


def test_a_token_of_one_app_is_nothing_to_another(tmp_path: Path) -> None:
    one, two = host(tmp_path / "one"), host(tmp_path / "two")
    token = one.state.tokens.issue_answer(MAYA, "0" * 64, Opening())

    sent = two.client(MAYA).post("/consent/choices", data={"token": token})

    assert sent.status_code == 403


def test_one_consentkit_serves_every_app_of_a_factory(tmp_path: Path) -> None:
    consent = ConsentKit(declared.registry())
    consent.subject_loader(lambda: MAYA)

    def create_app(name: str) -> Flask:
        app = bare_app(tmp_path / name)
        consent.init_app(app)
        return app

    first, second = create_app("first"), create_app("second")
    answer(first.test_client(), "credit-score", {"acme-credit": "given"})

    decisions = []
    for app in (first, second):
        with app.app_context():
            decisions.append(
                consent.check(
                    MAYA, "credit-score", recipient="acme-credit", data=["spending"]
                )
            )
    assert [bool(each) for each in decisions] == [True, False]
    assert not any(isinstance(value, Flask) for value in vars(consent).values())


def test_the_app_can_be_given_at_once(tmp_path: Path) -> None:
    app = bare_app(tmp_path)
    consent = ConsentKit(declared.registry(), app)
    consent.subject_loader(lambda: MAYA)

    assert app.test_client().get("/consent/").status_code == 200


def test_a_second_init_for_the_same_app_is_refused(shop: Host) -> None:
    with pytest.raises(ConfigurationError, match="already set up"):
        shop.consent.init_app(shop.app)
    with pytest.raises(ConfigurationError, match="already set up"):
        ConsentKit(declared.registry()).init_app(shop.app)

    assert shop.client(MAYA).get("/consent/").status_code == 200


def test_the_log_and_what_was_agreed_survive_a_restart(tmp_path: Path) -> None:
    answer(host(tmp_path).client(MAYA), "credit-score", {"acme-credit": "given"})

    assert host(tmp_path).allows(MAYA)


@pytest.mark.requirement("R1")
def test_an_incomplete_registry_keeps_the_app_from_starting_and_all_is_named(
    tmp_path: Path,
) -> None:
    controller = replace(declared.WALLET, authority="", rights="")
    score = replace(declared.SCORE, retention="", necessity="")
    app = bare_app(tmp_path)
    consent = ConsentKit(declared.registry(controller=controller, purposes=[score]))

    with pytest.raises(DeclarationError) as caught:
        consent.init_app(app)

    named = "\n".join(caught.value.missing)
    for element in ("authority", "rights", "retention", "necessity"):
        assert element in named
    assert "consentkit" not in app.extensions
    assert not list(tmp_path.rglob("*.sqlite3"))


@pytest.mark.requirement("R114")
def test_a_language_that_our_pages_do_not_speak_keeps_the_app_from_starting(
    tmp_path: Path,
) -> None:
    app = bare_app(tmp_path)

    with pytest.raises(ConfigurationError, match="got nl: take it out"):
        ConsentKit(declared.registry(locales=["en", "nl"])).init_app(app)

    assert "consentkit" not in app.extensions
    assert not list(tmp_path.rglob("*.sqlite3"))


@pytest.mark.parametrize("value", [None, {}, "consent.toml", declared.SCORE])
def test_something_else_than_a_registry_is_refused_and_told_what_is_meant(
    value: object,
) -> None:
    with pytest.raises(ConfigurationError, match=r"needs a Registry: ConsentKit"):
        ConsentKit(value)  # type: ignore[arg-type]  # what the test is about


def test_what_is_called_before_init_says_so() -> None:
    app = Flask(__name__)
    consent = ConsentKit(declared.registry())

    with app.app_context(), pytest.raises(ConfigurationError, match="init_app"):
        consent.check(MAYA, "credit-score", recipient="acme-credit")


@pytest.mark.requirement("R118")
def test_without_keys_nothing_starts_that_could_not_be_signed(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file stands where the folder should be")

    with pytest.raises(ConfigurationError, match="CONSENTKIT_KEY_FOLDER"):
        host(tmp_path, CONSENTKIT_KEY_FOLDER=str(tmp_path / "keys"))


def test_each_loader_can_be_a_decorator_and_stays_what_it_was() -> None:
    consent = ConsentKit(declared.registry())

    @consent.subject_loader
    def subject() -> str | None:
        return MAYA

    @consent.account_label_loader
    def label(subject: str) -> str:
        return subject.upper()

    @consent.role_loader
    def roles() -> set[str]:
        return set()

    assert (subject(), label("x"), roles()) == (MAYA, "X", set())


@pytest.mark.parametrize("unusable", [object(), True, "", "a\x00b", "x" * 256, b"maya"])
def test_a_subject_loader_that_gives_no_id_is_a_fault_of_the_app(
    shop: Host, unusable: object
) -> None:
    """Never a person's mistake: it must reach the developer, with the loader's name."""
    shop.consent.subject_loader(lambda: unusable)

    with pytest.raises(ConfigurationError, match="subject_loader must return the id"):
        shop.client().get("/consent/")


@pytest.mark.requirement("R54")
def test_revoking_from_code_ends_one_recipient_a_purpose_or_all(shop: Host) -> None:
    client = shop.client(MAYA)
    everything = [
        ("controller", "shop-offers"),
        ("corner-shops", "shop-offers"),
        ("acme-credit", "credit-score"),
    ]
    answer(client, "credit-score", {"acme-credit": "given"})
    answer(client, "shop-offers", {"corner-shops": "given", "controller": "given"})
    assert len(shop.grants()) == len(everything)

    with shop.app.app_context():
        one = shop.consent.revoke(
            MAYA, declared.OFFERS, recipient=declared.SHOP, by="subject"
        )
        assert [each[2] for each in shop.grants()] == ["acme-credit", "controller"]
        purpose = shop.consent.revoke(MAYA, declared.SCORE, by="authority")
        assert [each[2] for each in shop.grants()] == ["controller"]
        rest = shop.consent.revoke(MAYA)
        again = shop.consent.revoke(MAYA)

    assert shop.grants() == []
    assert one.ended == (("shop-offers", "corner-shops"),)
    assert purpose.ended == (("credit-score", "acme-credit"),)
    assert rest.ended == (("shop-offers", "controller"),)
    assert again.ended == ()
    assert again.leaf is None


def test_revoking_what_was_never_declared_is_refused_with_what_was_expected(
    shop: Host,
) -> None:
    with shop.app.app_context():
        for wrong in ({"purpose": "credit-scor"}, {"recipient": "acme"}):
            with pytest.raises(
                InvalidRequestError, match="expected the id of a declared"
            ):
                shop.consent.revoke(MAYA, **wrong)
        with pytest.raises(InvalidRequestError, match="by must be one of subject"):
            shop.consent.revoke(MAYA, by="dpo@wallet.example")
        with pytest.raises(InvalidRequestError, match="a subject id must be"):
            shop.consent.revoke("", "credit-score")


@pytest.mark.requirement("R51", "R77")
def test_receipts_history_and_disclosures_are_the_persons_own(shop: Host) -> None:
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    with shop.app.app_context():
        with shop.consent.share(
            MAYA, "credit-score", recipient="acme-credit", data=["spending"]
        ):
            pass
        (act,) = shop.consent.history(MAYA)
        (share,) = shop.consent.disclosures(MAYA)

        assert shop.consent.receipt(MAYA, act.leaf.id) is not None
        assert share.record == act.leaf.id
        assert shop.consent.receipt("tom", act.leaf.id) is None
        assert shop.consent.history("tom") == []
        assert shop.consent.disclosures("tom") == []


def test_an_app_that_does_not_say_who_is_signed_in_is_told_so(tmp_path: Path) -> None:
    app = bare_app(tmp_path)
    ConsentKit(declared.registry()).init_app(app)

    with pytest.raises(ConfigurationError, match=r"@consent\.subject_loader"):
        app.test_client().get("/consent/")
