from __future__ import annotations

import pytest

from consentkit.lint.naming import Namer
from consentkit.lint.tree import parse

NAMED = {
    "wrapping label": ("<label><input id=t> A b</label>", "A b"),
    "label by id": ("<label for=t>A</label><input id=t>", "A"),
    "two labels": ("<label for=t>A</label><input id=t><label for=t>B</label>", "A B"),
    "aria-label first": ("<label><input id=t aria-label=B>A</label>", "B"),
    "labelledby before all": (
        "<b id=x>X</b><b id=y>Y</b><input id=t aria-label=B aria-labelledby='y x z'>",
        "Y X",
    ),
    "button by content": ("<button id=t>A <img alt=c></button>", "A c"),
    "input button": ("<input type=submit id=t value=Go>", "Go"),
    "image button": ("<input type=image id=t alt=Go>", "Go"),
    "title last": ("<input id=t title=T>", "T"),
    "list without its options": (
        "<label><select id=t><option>Yes</select> Share</label>",
        "Share",
    ),
    "role by content": ("<span role=switch id=t>Off</span>", "Off"),
    "hidden label": ("<b id=x hidden>X</b><input id=t aria-labelledby=x>", "X"),
    "no label": ("<p><input id=t> A</p>", ""),
    "only the first control of a label": ("<label><input> A <input id=t></label>", ""),
    "spaces": ("<label><input id=t>\n A \n b </label>", "A b"),
}


@pytest.mark.requirement("D42")
@pytest.mark.parametrize(("html", "name"), NAMED.values(), ids=NAMED.keys())
def test_a_control_has_the_name_that_assistive_technology_gives_it(
    html: str, name: str
) -> None:
    namer = Namer(parse(html))
    element = namer.element("t")
    assert element is not None

    assert namer.name(element) == name


GROUPED = {
    "fieldset": "<fieldset><legend>G</legend><p><input id=t></p></fieldset>",
    "radiogroup": "<div role=radiogroup aria-label=G><input id=t></div>",
    "group": "<h2 id=g>G</h2><div role=group aria-labelledby=g><input id=t></div>",
    "section": "<section aria-label=G><input id=t></section>",
}


@pytest.mark.parametrize("html", GROUPED.values(), ids=GROUPED.keys())
def test_the_nearest_named_group_is_found(html: str) -> None:
    namer = Namer(parse(f"<section aria-label=far>{html}</section>"))
    element = namer.element("t")
    assert element is not None

    assert namer.group(element) == "G"


def test_context_holds_descriptions_and_groups() -> None:
    document = parse(
        "<p id=d>D</p><section aria-label=far><fieldset aria-describedby=d>"
        "<legend>G</legend><input id=t aria-describedby=d></fieldset></section>"
    )
    namer = Namer(document)
    element = namer.element("t")
    assert element is not None

    assert namer.context(element, below=document) == "D G D far"
