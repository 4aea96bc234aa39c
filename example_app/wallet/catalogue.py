"""The invented people, shops and habits from which a year of payments is made."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from example_app.wallet.payment import INCOME

__all__ = [
    "HABITS",
    "PEOPLE",
    "Person",
    "Regular",
    "Shop",
]


@dataclass(frozen=True)
class Shop:
    """A shop, and the least and most that one payment there comes to, in pence."""

    name: str
    least: int
    most: int


HABITS: dict[str, tuple[Shop, ...]] = {
    "groceries": (
        Shop("Greenfield Market", 1_400, 6_800),
        Shop("Hobbs & Daughter", 600, 3_200),
        Shop("Saltmarsh Farm Shop", 900, 4_100),
        Shop("Penny Bakery", 240, 990),
    ),
    "eating-out": (
        Shop("Juniper Café", 320, 1_250),
        Shop("Noodle Yard", 950, 2_700),
        Shop("The Copper Kettle", 410, 1_480),
        Shop("Old Mill Pizza", 1_300, 4_200),
    ),
    "transport": (
        Shop("City Buses", 220, 680),
        Shop("Pennine Rail", 840, 5_900),
        Shop("Wheelhouse Cycles", 700, 6_400),
    ),
    "clothing": (
        Shop("Thread & Loom", 1_900, 9_800),
        Shop("Northfold", 2_500, 14_000),
        Shop("Second Story", 350, 2_100),
    ),
    "leisure": (
        Shop("Lantern Cinema", 850, 2_900),
        Shop("Folio Books", 699, 3_800),
        Shop("Stonegate Climbing", 1_050, 2_600),
    ),
    "health": (
        Shop("Well Street Pharmacy", 260, 2_400),
        Shop("Brook Dental", 2_500, 9_500),
    ),
    "travel": (
        Shop("Coastway Rooms", 6_800, 24_000),
        Shop("Skylark Air", 5_900, 31_000),
    ),
    "giving": (
        Shop("Harbour Lights Trust", 500, 3_000),
        Shop("Petal & Stem", 1_200, 4_500),
    ),
}


@dataclass(frozen=True)
class Regular:
    """A payment of each month: the day, to or from whom, its kind, pence, and drift.

    ``drift`` is by how many per cent the amount may differ from month to month.
    """

    day: int
    merchant: str
    kind: str
    amount: int
    drift: int = 0


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who has an account, and how often in ten they spend on what."""

    email: str
    name: str
    city: str
    regulars: tuple[Regular, ...]
    weights: dict[str, int]

    @property
    def id(self) -> str:
        """The wallet's own opaque id: the same in each run, and not the address."""
        return hashlib.sha256(f"wallet person {self.email}".encode()).hexdigest()[:16]


PEOPLE = (
    Person(
        email="maya@example.org",
        name="Maya Okafor",
        city="Leeds",
        regulars=(
            Regular(27, "Aire Valley School", INCOME, 2_310_00),
            Regular(1, "Alder Lettings", "home", -745_00),
            Regular(4, "Brightwater Energy", "home", -86_40, 25),
            Regular(11, "Clearline Broadband", "home", -29_00),
            Regular(15, "Strand Music", "leisure", -10_99),
        ),
        weights={
            "groceries": 10,
            "eating-out": 6,
            "transport": 5,
            "leisure": 3,
            "clothing": 2,
            "health": 1,
            "giving": 1,
        },
    ),
    Person(
        email="tom@example.org",
        name="Tom Becker",
        city="Bristol",
        regulars=(
            Regular(25, "Ferryman Boats", INCOME, 2_780_00, 6),
            Regular(1, "Harbourside Building Society", "home", -912_50),
            Regular(6, "Brightwater Energy", "home", -104_10, 25),
            Regular(9, "Clearline Broadband", "home", -34_00),
            Regular(3, "Stonegate Climbing", "leisure", -38_00),
        ),
        weights={
            "groceries": 9,
            "eating-out": 4,
            "transport": 4,
            "leisure": 5,
            "clothing": 1,
            "health": 1,
            "travel": 1,
        },
    ),
    Person(
        email="xiaoyu@example.org",
        name="Lin Xiaoyu",
        city="Manchester",
        regulars=(
            Regular(28, "Quarry Bank Software", INCOME, 3_150_00),
            Regular(1, "Castlefield Homes", "home", -1_080_00),
            Regular(5, "Brightwater Energy", "home", -72_30, 25),
            Regular(12, "Clearline Broadband", "home", -29_00),
            Regular(20, "Harbour Lights Trust", "giving", -15_00),
        ),
        weights={
            "groceries": 7,
            "eating-out": 9,
            "transport": 4,
            "leisure": 3,
            "clothing": 3,
            "health": 1,
            "travel": 2,
        },
    ),
    Person(
        email="amal@example.org",
        name="Amal Haddad",
        city="Cardiff",
        regulars=(
            Regular(26, "Taff Street Clinic", INCOME, 1_980_00, 4),
            Regular(1, "Roath Park Housing", "home", -610_00),
            Regular(7, "Brightwater Energy", "home", -91_80, 25),
            Regular(14, "Clearline Broadband", "home", -24_00),
            Regular(18, "Little Acorns Nursery", "home", -220_00),
        ),
        weights={
            "groceries": 12,
            "eating-out": 2,
            "transport": 5,
            "leisure": 2,
            "clothing": 3,
            "health": 2,
            "giving": 1,
        },
    ),
    Person(
        email="ruth@example.org",
        name="Ruth Ferrier",
        city="Glasgow",
        regulars=(
            Regular(23, "Clyde Pension Fund", INCOME, 1_640_00),
            Regular(2, "Kelvin Factors", "home", -118_00),
            Regular(8, "Brightwater Energy", "home", -112_60, 25),
            Regular(16, "Clearline Broadband", "home", -24_00),
            Regular(10, "Harbour Lights Trust", "giving", -20_00),
        ),
        weights={
            "groceries": 9,
            "eating-out": 4,
            "transport": 3,
            "leisure": 4,
            "health": 3,
            "giving": 2,
            "travel": 1,
        },
    ),
)
