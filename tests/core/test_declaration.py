"""Declarations in a file: the same as in Python, and every fault has its place."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from consentkit.core.registry import Registry
from consentkit.errors import DeclarationError
from tests.declared import registry

GOOD_FILE = Path(__file__).with_name("consent.toml")
GOOD = GOOD_FILE.read_text("utf-8")


def load(tmp_path: Path, text: str | bytes) -> Registry:
    file = tmp_path / "consent.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Registry.from_file(file)


def refusal(tmp_path: Path, text: str | bytes) -> str:
    with pytest.raises(DeclarationError) as caught:
        load(tmp_path, text)
    return str(caught.value)


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) == 1, f"{old!r} stands {GOOD.count(old)} times"
    return GOOD.replace(old, new)


def test_a_file_declares_what_the_same_words_declare_in_python() -> None:
    read, written = Registry.from_file(str(GOOD_FILE)), registry()

    assert read.controller == written.controller
    assert list(read.purposes.values()) == list(written.purposes.values())
    assert dict(read.recipients) == dict(written.recipients)
    assert dict(read.categories) == dict(written.categories)
    assert read.locales == written.locales
    assert read.all_questions() == written.all_questions()
    assert read.missing() == ()


@pytest.mark.requirement("R113")
def test_a_text_may_be_a_table_of_locales(tmp_path: Path) -> None:
    text = changed('title = "The city you live in"\n', "")
    text += '\n[data.city.title]\nen = "Your city"\nzh-Hans = "您的城市"\n'

    assert load(tmp_path, text).categories["city"].title == {
        "en": "Your city",
        "zh-Hans": "您的城市",
    }


def test_locales_are_english_alone_unless_declared(tmp_path: Path) -> None:
    assert load(tmp_path, changed('locales = ["en"]\n', "")).locales == ("en",)
    assert load(tmp_path, changed('["en"]', '["de", "en"]')).locales == ("de", "en")


def test_validity_is_given_in_days_weeks_or_hours(tmp_path: Path) -> None:
    for text, length in {
        "P26W": timedelta(weeks=26),
        "PT12H": timedelta(hours=12),
    }.items():
        read = load(tmp_path, changed('"P180D"', f'"{text}"'))
        assert read.purposes["shop-offers"].valid_for == length


@pytest.mark.requirement("R33")
def test_a_purpose_may_ask_in_two_stages(tmp_path: Path) -> None:
    text = changed("own_use = true", "own_use = true\ntwo_stage = true")
    purposes = load(tmp_path, text).purposes

    assert purposes["shop-offers"].two_stage
    assert not purposes["credit-score"].two_stage
    said_in_words = changed("own_use = true", 'own_use = true\ntwo_stage = "yes"')
    assert "two_stage: expected true or false" in refusal(tmp_path, said_in_words)


def test_a_purpose_says_whose_yes_it_takes_and_which_practice_it_is(
    tmp_path: Path,
) -> None:
    text = changed(
        "own_use = true", 'own_use = true\njoint = true\npractices = ["marketing"]'
    )
    offers = load(tmp_path, text).purposes["shop-offers"]
    assert offers.joint
    assert set(offers.practices) == {"marketing", "targeted-advertising"}  # by its iri

    wrong = {
        'joint = "yes"': "joint: expected true or false",
        'practices = ["profiling"]': "practices must be some of tracking",
        'practices = "tracking"': "practices: Not a valid list",
        "minors = true": "minors: Unknown field",
    }
    for line, told in wrong.items():
        said = changed("own_use = true", f"own_use = true\n{line}")
        assert told in refusal(tmp_path, said)


def test_data_is_narrowed_for_one_recipient(tmp_path: Path) -> None:
    text = f'{GOOD}\n[purposes.credit-score.data_for]\nacme-credit = ["spending"]\n'

    (question,) = load(tmp_path, text).questions("credit-score")

    assert question.data == ("spending",)


# fault -> (old text, new text, key, what is expected there)
FAULTS: dict[str, tuple[str, str, str, str]] = {
    "unknown table": (
        "[controller]",
        "[extra]\n[controller]",
        "extra",
        "Unknown field",
    ),
    "unknown table in a capital": (
        "[controller]",
        "[X]\n[controller]",
        "X",
        "Unknown field",
    ),
    "unknown key": (
        'iri = "dpv:CustomerCare"',
        "checked = true",
        "purposes.night-help.checked",
        "Unknown field",
    ),
    "key of a controller missing": (
        'name = "Wallet Ltd"\n',
        "",
        "controller.name",
        "Missing data for required field",
    ),
    "key of a recipient missing": (
        'relation = "partner"\n',
        "",
        "recipients.corner-shops.relation",
        "Missing data for required field",
    ),
    "text that is a number": (
        'aim = "picks shop offers for me"',
        "aim = 5",
        "purposes.shop-offers.aim",
        "expected text, or a table of locale to text",
    ),
    "text in a table that is a number": (
        'aim = "picks shop offers for me"',
        "aim = { en = 5 }",
        "purposes.shop-offers.aim",
        "expected text, or a table of locale to text",
    ),
    "validity in words": (
        '"P180D"',
        '"half a year"',
        "purposes.shop-offers.valid_for",
        "expected days, weeks or hours as an ISO 8601 duration",
    ),
    "validity in months": (
        '"P180D"',
        '"P6M"',
        "purposes.shop-offers.valid_for",
        "expected days, weeks or hours",
    ),
    "validity that is a number": (
        '"P180D"',
        "180",
        "purposes.shop-offers.valid_for",
        "expected days, weeks or hours",
    ),
    "validity of nothing": (
        '"P180D"',
        '"P0D"',
        "purposes.shop-offers",
        "valid_for must be from one second",
    ),
    "validity without end": (
        '"P180D"',
        '"P99999W"',
        "purposes.shop-offers",
        "valid_for must be from one second to a hundred years",
    ),
    "flag in words": (
        "sensitive = true",
        'sensitive = "no"',
        "data.spending.sensitive",
        "expected true or false",
    ),
    "flag that is a number": (
        "own_use = true",
        "own_use = 1",
        "purposes.shop-offers.own_use",
        "expected true or false",
    ),
    "no data": (
        'data = ["messages"]',
        "data = []",
        "purposes.night-help.data",
        "Shorter than minimum length 1",
    ),
    "data that is a number": (
        'data = ["messages"]',
        "data = [5]",
        "purposes.night-help.data.0",
        "expected the id of a data category, or a table with one",
    ),
    "data that is not declared": (
        'data = ["messages"]',
        'data = ["letters"]',
        "purposes.night-help.data",
        "expected one of city, messages, spending; got 'letters'",
    ),
    "recipient that is not declared": (
        'recipients = ["night-desk"]',
        'recipients = ["partners"]',
        "purposes.night-help.recipients",
        "expected one of acme-credit, corner-shops, night-desk; got 'partners'",
    ),
    "recipient that is a class": (
        'name = "Corner Shops Network Ltd"',
        'name = "our partners"',
        "recipients.corner-shops",
        "not a class of recipients; got 'our partners'",
    ),
    "id of another form": (
        "[data.messages]",
        "[data.Messages]",
        "data.Messages",
        "a data category needs an id of a-z",
    ),
    "country by name": (
        'country = "US"',
        'country = "Texas"',
        "recipients.night-desk",
        "two capital letters",
    ),
    "controller's country by name": (
        'address = "1 Exchange Street, Leeds LS1 4AA"\ncountry = "GB"',
        'address = "1 Exchange Street, Leeds LS1 4AA"\ncountry = "UK."',
        "controller",
        "two capital letters",
    ),
    "locale of another form": (
        'logic = "A program counts the months in which all bills were paid."',
        'logic = { english = "It counts." }',
        "purposes.credit-score.automated",
        "BCP 47",
    ),
    "automated decision in part": (
        'logic = "A program counts the months in which all bills were paid."\n',
        "",
        "purposes.credit-score.automated.logic",
        "Missing data for required field",
    ),
}


@pytest.mark.requirement("R3", "R16", "R41")
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_by_file_key_and_expectation(
    name: str, tmp_path: Path
) -> None:
    old, new, key, expectation = FAULTS[name]

    message = refusal(tmp_path, changed(old, new))

    assert message.startswith("consent.toml")
    assert f"{key}: " in message
    assert expectation in message.partition(f"{key}: ")[2]


NO_FLAG = "expected true or false, without quotation marks"


def test_all_faults_of_the_schema_are_listed_at_once(tmp_path: Path) -> None:
    text = changed('contact = "privacy@wallet.example"\n', "")
    text = text.replace('relation = "supplier"', "relation = 5")
    text = text.replace('data = ["messages"]', "data = [{ necessary = 0 }]")
    text = text.replace('title = "The city you live in"', "name = true")

    with pytest.raises(DeclarationError) as caught:
        load(tmp_path, text)

    assert str(caught.value).startswith("consent.toml cannot be used:\n  - ")
    assert sorted(caught.value.missing) == [
        "controller.contact: Missing data for required field.",
        "data.city.name: Unknown field.",
        "data.city.title: Missing data for required field.",
        "purposes.night-help.data.0.id: Missing data for required field.",
        f"purposes.night-help.data.0.necessary: {NO_FLAG}",
        "recipients.night-desk.relation: Not a valid string.",
    ]
    assert all(each in str(caught.value) for each in caught.value.missing)


def test_a_file_that_is_not_there_is_said_to_be_absent(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError) as caught:
        Registry.from_file(tmp_path / "consent.toml")

    assert str(caught.value) == (
        "consent.toml cannot be read: No such file or directory; give the path of a "
        "TOML file with your declarations"
    )


NO_TOML: dict[str, tuple[bytes, str]] = {
    "YAML": (b"controller:\n  id: wallet\n", "is not TOML"),
    "a table twice": (b"[controller]\n[controller]\n", "is not TOML"),
    "UTF-16": ("[controller]".encode("utf-16"), "is not TOML"),
    "a megabyte and a byte": (b"#" * 1_048_577, "is larger than 1048576 bytes"),
    "nothing": (b"", "controller: Missing data for required field"),
    "a number too long for Python": (b"a = " + b"1" * 5_000, "is not TOML"),
    "lists too deep for Python": (b"a = " + b"[" * 5_000, "is not TOML"),
}


@pytest.mark.parametrize("name", NO_TOML)
def test_what_is_no_declaration_is_refused_by_name(name: str, tmp_path: Path) -> None:
    data, message = NO_TOML[name]

    assert message in refusal(tmp_path, data)


def test_a_file_of_exactly_a_megabyte_is_read(tmp_path: Path) -> None:
    padded = GOOD.encode() + b"#" * (1_048_576 - len(GOOD.encode()))

    assert load(tmp_path, padded).missing() == ()
    assert refusal(tmp_path, padded + b"#") == (
        "consent.toml is larger than 1048576 bytes; declarations of a very large app "
        "are some tens of kilobytes"
    )


def test_a_purpose_may_name_no_recipient_where_the_controller_alone_uses_data(
    tmp_path: Path,
) -> None:
    text = changed('recipients = ["night-desk"]\n', "own_use = true\n")

    assert load(tmp_path, text).purposes["night-help"].recipients == ()


def test_a_fault_in_one_item_of_data_is_named_with_its_purpose(tmp_path: Path) -> None:
    text = changed(
        'data = ["messages"]',
        'data = [{ id = "messages", if_refused = { english = "Nothing." } }]',
    )

    assert refusal(tmp_path, text).startswith(
        "consent.toml: purposes.night-help.data: data item 'messages': if_refused must"
    )


def test_faults_are_listed_one_a_line(tmp_path: Path) -> None:
    text = changed('contact = "privacy@wallet.example"\n', "")
    text = text.replace('aim = "picks shop offers for me"', "aim = 5")
    text = text.replace('data = ["messages"]', "data = [5]")
    text = text.replace('"P180D"', "180")

    assert sorted(refusal(tmp_path, text).split("\n")) == [
        "  - controller.contact: Missing data for required field.",
        (
            "  - purposes.night-help.data.0: expected the id of a data category, or a "
            "table with one"
        ),
        "  - purposes.shop-offers.aim: expected text, or a table of locale to text",
        (
            "  - purposes.shop-offers.valid_for: expected days, weeks or hours as an "
            "ISO 8601 duration, such as 'P365D' or 'PT12H'"
        ),
        "consent.toml cannot be used:",
    ]
