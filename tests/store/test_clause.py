"""The clause in the app's own statements: any key, any place, the best plan."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import CITEXT
from sqlalchemy.dialects.postgresql import ENUM
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import Session
from sqlalchemy.orm import aliased
from sqlalchemy.orm import mapped_column
from sqlalchemy.orm import with_loader_criteria

from consentkit.core.act import Millis
from consentkit.errors import ConfigurationError
from consentkit.store import schema
from consentkit.store.clause import allowed
from consentkit.store.database import Database
from tests.store.agreeing import NOW
from tests.store.agreeing import question
from tests.store.agreeing import state
from tests.store.handwritten import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

PEOPLE = 3_000


class Base(DeclarativeBase):
    """The app's own tables."""


class Person(Base):
    __tablename__ = "app_person"
    row: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None] = mapped_column(index=True)
    number: Mapped[int | None] = mapped_column(sa.BigInteger, index=True)
    token: Mapped[uuid.UUID | None]


def ids(row: int) -> dict[str, Any]:
    """One kind of id for each person, and NULL in place of the others."""
    token = uuid.UUID(int=(row << 80) + 0xABCDEF)
    each = ({"name": f"person-{row}"}, {"number": -row}, {"token": token})
    return {"row": row, "name": None, "number": None, "token": None, **each[row % 3]}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """Of three thousand people every second one agreed."""
    if request.param == "sqlite":
        uri = f"sqlite:///{tmp_path_factory.mktemp('clause') / 'app.sqlite3'}"
    else:
        uri = request.getfixturevalue("postgres").new_tables()
    found = Database(uri, shared=True)
    found.upgrade()
    Base.metadata.create_all(found.engine)
    people = [ids(row) for row in range(PEOPLE)]
    with found.write() as connection:
        connection.execute(sa.insert(Person), people)
        agreed = [
            state(
                str(next(filter(None, (each["name"], each["number"], each["token"]))))
            )
            for each in people[2::2]
        ]
        connection.execute(schema.state.insert(), agreed)
        connection.exec_driver_sql("ANALYZE")
    yield found
    found.dispose()


@pytest.fixture
def clock() -> list[Millis]:
    return [NOW]


def clause(
    database: Database, column: Any = Person.name, clock: list[Millis] | None = None
) -> sa.ColumnElement[bool]:
    """May the spending history of the person in ``column`` go to the affiliate?"""
    return allowed(
        column,
        question(),
        data=frozenset({"spending"}),
        now=lambda: (clock or [NOW])[0],
        dialect=database.engine.dialect.name,
    )


def rows(database: Database, statement: Any) -> list[Any]:
    with Session(database.engine) as session:
        return list(session.scalars(statement))


def agreed(kind: int) -> set[int]:
    return {row for row in range(2, PEOPLE, 2) if row % 3 == kind}


@pytest.mark.requirement("R62")
@pytest.mark.parametrize("kind", [0, 1, 2], ids=["text", "number", "uuid"])
def test_a_key_of_any_type_finds_its_own_answer_and_not_finds_the_rest(
    database: Database, kind: int
) -> None:
    column = (Person.name, Person.number, Person.token)[kind]
    condition = clause(database, column)
    assert set(rows(database, sa.select(Person.row).where(condition))) == agreed(kind)
    rest = rows(database, sa.select(Person.row).where(~condition))
    assert set(rest) == set(range(PEOPLE)) - agreed(kind)  # NULL ids as well


def test_it_goes_wherever_a_condition_goes(database: Database) -> None:
    condition = clause(database)
    some = sa.select(Person.row).where(Person.row < 30)
    within = {row for row in agreed(0) if row < 30}
    assert set(rows(database, some.where(condition))) == within
    # an alias, an outer join, a subquery, a sum, an order, a case
    other = aliased(Person)
    there = sa.select(other.row).where(clause(database, other.name))
    assert set(rows(database, there)) == agreed(0)
    joined = (
        sa.select(other.row)
        .join(Person, other.row == Person.row - 1, isouter=True)
        .where(sa.and_(condition, other.row < 30))
    )
    assert set(rows(database, joined)) == {row - 1 for row in agreed(0) if row < 31}
    nested = some.where(
        sa.exists().where(other.row == Person.row, clause(database, other.name))
    )
    assert set(rows(database, nested)) == within
    inner = some.where(Person.row.in_(there))
    assert set(rows(database, inner)) == within
    total = sa.select(sa.func.count()).select_from(Person).where(condition)
    assert rows(database, total) == [len(agreed(0))]
    first = some.order_by(condition.desc(), Person.row).limit(1)
    assert rows(database, first) == [min(within)]
    told = sa.select(sa.case((condition, "yes"), else_="no")).where(Person.row == 6)
    assert rows(database, told) == ["yes"]
    own = sa.select(schema.state.c.subject).where(
        clause(database, schema.state.c.subject)
    )
    assert len(rows(database, own)) == PEOPLE // 2 - 1


def test_it_goes_into_what_writes(database: Database) -> None:
    condition = clause(database)
    with Session(database.engine) as session:
        gone = session.execute(sa.delete(Person).where(~condition, Person.row < 12))
        assert gone.rowcount == 11  # type: ignore[attr-defined]  of a cursor's result
        marked = sa.update(Person).where(condition, Person.row < 12).values(number=5)
        session.execute(marked)
        assert session.scalars(
            sa.select(Person.row).where(Person.number == 5)
        ).all() == [6]
        session.rollback()


def elsewhere(column: Any) -> list[Any]:
    """Statements that do not select from the person whose column the clause is of."""
    other, part = aliased(Person), sa.select(Person.row).subquery()
    whole = sa.select(Person).cte()
    there = sa.table("consent_suspension", sa.column("id"))
    return [
        sa.select(there.c.id).where(column),
        sa.select(other.row).where(column),
        sa.select(other.row).where(~column),
        sa.select(part.c.row).where(column),
        sa.select(whole.c.row).where(column),
        sa.select(sa.literal(1)).where(column),
        sa.select(column),
        sa.select(sa.func.count()).where(column).select_from(other),
        sa.select(other.row).join(part, sa.and_(part.c.row == other.row, column)),
        sa.select(other.row).where(sa.exists().where(column)),
        sa.select(other.row).where(sa.select(part.c.row).where(column).exists()),
        sa.union(sa.select(other.row).where(column), sa.select(part.c.row)),
        sa.update(there).where(column).values(id=1),
        sa.delete(there).where(column),
        sa.insert(there).values(id=sa.case((column, 1), else_=2)),
        sa.insert(there).from_select(["id"], sa.select(other.row).where(column)),
    ]


@pytest.mark.requirement("R62", "R69")
@pytest.mark.parametrize("kind", [0, 1, 2], ids=["text", "number", "uuid"])
def test_a_statement_that_does_not_select_from_the_table_is_refused(
    database: Database, kind: int
) -> None:
    """The yes of anybody would open every row, were the table put into the EXISTS."""
    column = (Person.name, Person.number, Person.token)[kind]
    for statement in elsewhere(clause(database, column)):
        with (
            Session(database.engine) as session,
            pytest.raises(ConfigurationError, match=r"app_person.*not in the FROM"),
        ):
            session.execute(statement)
    with Session(database.engine) as session:
        other = aliased(Person)
        query = session.query(other.row).filter(clause(database, column))
        with pytest.raises(ConfigurationError, match="not in the FROM"):
            query.all()
        wrong = session.query(Person.row).filter(clause(database, other.name))
        with pytest.raises(ConfigurationError, match="not in the FROM"):
            wrong.count()


@pytest.mark.requirement("R62")
def test_the_database_refuses_where_its_own_rules_hide_the_table(
    database: Database,
) -> None:
    """A derived table cannot see its neighbour: no table is put in for it to see."""
    within = sa.select(sa.literal(1).label("one")).where(clause(database)).subquery()
    beside = sa.select(Person.row, within.c.one).join(within, sa.true())
    with (
        Session(database.engine) as session,
        pytest.raises((sa.exc.DBAPIError, ConfigurationError)),
    ):
        session.execute(beside)


@pytest.mark.requirement("R62")
def test_it_finds_its_table_wherever_the_statement_has_it(database: Database) -> None:
    condition = clause(database)
    few = Person.row < 30
    within = {row for row in agreed(0) if row < 30}
    some = sa.select(Person.row).where(few)
    part = sa.select(Person.row, Person.name).where(few).subquery()
    whole = sa.select(Person.row, Person.name).where(few).cte()
    other, named = aliased(Person), aliased(Person, name="p")
    inside = (
        sa.select(other.row.label("found"))
        .where(other.row == Person.row, condition)
        .lateral()
    )
    statements: list[Any] = [
        sa.select(part.c.row).where(clause(database, part.c.name)),
        sa.select(whole.c.row).where(clause(database, whole.c.name)),
        sa.select(some.where(condition).subquery().c.row),
        sa.select(some.where(condition).cte().c.row),
        sa.union(some.where(condition), some.where(condition)),
        sa.select(named.row).where(named.row < 30, clause(database, named.name)),
        some.join(other, other.row == Person.row).where(condition),
        some.join(other, sa.and_(other.row == Person.row, condition)),
        some.where(sa.exists().where(other.row == Person.row, condition)),
        some.where(sa.select(other.row).where(condition, other.row == 6).exists()),
        some.where(sa.and_(condition, sa.or_(condition, few))),
        some.group_by(Person.row, Person.name).having(condition),
        sa.select(Person).where(condition, few),
        sa.select(Person).options(with_loader_criteria(Person, condition)).where(few),
    ]
    if database.engine.dialect.name == "postgresql":
        statements.append(
            sa.select(inside.c.found).select_from(Person).join(inside, sa.true())
        )
    for statement in statements:
        found = rows(database, statement)
        ids_ = {each.row if isinstance(each, Person) else each for each in found}
        assert ids_ & set(range(30)) == within, str(statement)
        assert len(found) == len(ids_)
    with Session(database.engine) as session:
        query = session.query(Person).filter(condition, few)
        assert {each.row for each in query} == within
        assert query.count() == len(within)
        with_alias = session.query(other).filter(clause(database, other.name))
        assert with_alias.count() == len(agreed(0))
        both = sa.update(Person).where(
            Person.row == other.row, clause(database, other.name), other.row < 12
        )
        gone = session.execute(
            both.values(number=5).execution_options(synchronize_session=False)
        )
        assert gone.rowcount == 1  # type: ignore[attr-defined]  of a cursor's result
        session.rollback()


@pytest.mark.requirement("R62")
@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_a_column_of_which_nobody_can_say_whose_it_is_is_refused(dialect: str) -> None:
    """``subject`` alone would be the column of consentkit's own table."""
    other = aliased(Person)
    lonely = sa.select(other.name).where(other.row == Person.row).scalar_subquery()
    cases: list[tuple[Any, str]] = [
        (sa.column("subject", sa.String), "a name without one"),
        (sa.literal_column("subject", sa.String), "a name without one"),
        (sa.cast(sa.text("subject"), sa.String), "a name without one"),
        (sa.func.lower(sa.column("subject", sa.String), type_=sa.String), "a name"),
        (lonely, "a subquery"),
        (sa.func.coalesce(Person.name, lonely), "a subquery"),
    ]
    for column, named in cases:
        with pytest.raises(ConfigurationError, match=named):
            allowed(column, question(), now=lambda: NOW, dialect=dialect)


@pytest.mark.requirement("R86")
def test_it_is_judged_when_it_runs_and_not_when_it_is_made(
    database: Database, clock: list[Millis]
) -> None:
    statement = sa.select(sa.func.count()).select_from(Person)
    kept = statement.where(clause(database, Person.name, clock))
    for now, found in ((NOW, 499), (NOW + 9, 499), (NOW + 10, 0), (NOW, 499)):
        clock[0] = Millis(now)
        assert rows(database, kept) == [found], now


PLANS = ("name", "number", "token")


@pytest.mark.parametrize("column", PLANS)
def test_the_plan_is_that_of_the_semi_join_one_would_write(
    database: Database, column: str
) -> None:
    dialect = database.engine.dialect.name
    ours = sa.select(Person.row).where(clause(database, getattr(Person, column)))
    by_hand = rule(dialect, column)
    text = f"SELECT person.row FROM app_person AS person WHERE {by_hand}"  # noqa: S608  ours
    wanted = question()
    theirs = sa.text(text).bindparams(
        purpose=wanted.purpose_id,
        recipient=wanted.recipient_id,
        now=NOW,
        scope=wanted.scope,
        data="spending",
    )
    found = plan(database, ours)
    assert found == plan(database, theirs)
    if dialect == "sqlite":
        key = "(subject=? AND purpose=? AND recipient=?)"
        assert f"SEARCH state USING PRIMARY KEY {key}" in found
    else:
        assert "Join Semi" in found
        assert "SubPlan" not in found


def test_one_person_is_found_by_the_primary_key(database: Database) -> None:
    for column, value in ((Person.name, "person-6"), (Person.number, -4)):
        one = sa.select(Person.row).where(column == value, clause(database, column))
        found = plan(database, one)
        assert "SEARCH state USING PRIMARY KEY" in found or "state state_pkey" in found
        assert len(rows(database, one)) == 1


def plan(database: Database, statement: Any) -> str:
    """The plan, with the tables by their own names and without costs."""
    dialect = database.engine.dialect.name
    with database.read() as connection:
        compiled = statement.compile(
            connection.engine, compile_kwargs={"render_postcompile": True}
        )
        values = compiled.construct_params()
        if dialect == "sqlite":
            values = tuple(values[name] for name in compiled.positiontup or ())
            found = connection.exec_driver_sql(
                f"EXPLAIN QUERY PLAN {compiled}", values
            ).all()
            lines = [row[3] for row in found]
        else:
            ((tree,),) = connection.exec_driver_sql(
                f"EXPLAIN (FORMAT JSON, COSTS FALSE) {compiled}", values
            ).all()
            lines = list(nodes(tree[0]["Plan"]))
    text = "\n".join(lines)
    for table, alias in ALIASES.items():
        name = rf"\b({table}|{alias})(_[0-9]+)*(?=_pkey|\b)"  # of any partition
        text = re.sub(name, alias, text)
    return text


ALIASES = {
    "consent_state": "state",
    "consent_suspension": "stop",
    "consent_coming_of_age": "age",
    "app_person": "person",
}


def nodes(plan: dict[str, Any]) -> Iterator[str]:
    """How each table is read, and how they are joined, from the top down."""
    about = ("Parent Relationship", "Node Type", "Join Type", "Alias", "Index Name")
    yield " ".join(str(plan[each]) for each in about if each in plan)
    for each in plan.get("Plans", ()):
        yield from nodes(each)


WRONG: dict[str, Any] = {
    "no column": "person-6",
    "nothing": None,
    "null": sa.null(),
    "a word of a list": sa.column("x", sa.Enum("a", "b")),
    "a word of a list there": sa.column("x", ENUM("a", "b", name="words")),
    "truth": sa.column("x", sa.Boolean),
    "bytes": sa.column("x", sa.LargeBinary),
    "a fraction": sa.column("x", sa.Numeric),
    "of no type": sa.column("x"),
    "a time": sa.column("x", sa.DateTime),
}


@pytest.mark.requirement("R62")
@pytest.mark.parametrize("column", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_what_holds_no_ids_is_refused(column: Any, dialect: str) -> None:
    with pytest.raises(ConfigurationError, match="String, Integer or Uuid; got"):
        allowed(column, question(), now=lambda: NOW, dialect=dialect)


def test_a_padded_column_is_refused_where_it_is_padded() -> None:
    padded = sa.table("app_person", sa.column("x", sa.CHAR(36))).c.x
    allowed(padded, question(), now=lambda: NOW, dialect="sqlite")
    with pytest.raises(ConfigurationError, match="got CHAR"):
        allowed(padded, question(), now=lambda: NOW, dialect="postgresql")


@pytest.mark.requirement("R62")
def test_an_id_that_only_looks_the_same_to_the_app_is_another_one(
    database: Database,
) -> None:
    """A type that takes case, or a leading zero, for nothing does not decide here."""
    odd = sa.type_coerce(sa.literal("PERSON-6"), CITEXT())
    zero = sa.type_coerce(sa.literal("-04"), sa.String())
    for id_ in (odd, zero, sa.literal("person-6 "), sa.literal("person-%")):
        found = rows(database, sa.select(clause(database, id_)))
        assert found == [False]
    for id_ in (sa.literal("person-6"), sa.literal(-4), sa.literal(ids(2)["token"])):
        found = rows(database, sa.select(clause(database, id_)))
        assert found == [True]


@pytest.mark.requirement("R64")
def test_data_nobody_asks_about_and_no_data_are_never_allowed(
    database: Database,
) -> None:
    for data in (frozenset[str](), frozenset({"iban"}), frozenset({"spending", "x"})):
        never = allowed(
            Person.name,
            question(),
            data=data,
            now=lambda: NOW,
            dialect=database.engine.dialect.name,
        )
        assert rows(database, sa.select(Person.row).where(never)) == []
        assert len(rows(database, sa.select(Person.row).where(~never))) == PEOPLE
