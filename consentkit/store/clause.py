"""The gate as SQL: does a person's answer cover a share? In the app's own statement.

``core.decision.decide`` says what a yes is; this says the same to a database, and the
tests hold the two against each other and against ``NOT``. It is an ``EXISTS``, so it is
true or false and never NULL: the negation keeps every row that the clause leaves out.

Within the ``EXISTS`` stand our own tables alone. Were the app's table in there as well,
the yes of anybody would be one for every row.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import visitors

from consentkit.core.act import AUTHORISING
from consentkit.core.act import Assurance
from consentkit.core.registry import CROSS_BORDER
from consentkit.errors import ConfigurationError
from consentkit.store import schema

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable

    from sqlalchemy.sql.compiler import SQLCompiler

    from consentkit.core.act import Millis
    from consentkit.core.registry import Question

__all__ = ["Minors", "allowed", "subject_text"]

_STATES = tuple(sorted(state.value for state in AUTHORISING))
# SQLite keeps any type in any column, and sorts text and bytes behind all numbers: what
# is no number in a column of times is beyond this one, and so nobody's yes.
_LAST: sa.ColumnElement[int] = sa.literal_column(str(2**63 - 1))
_HYPHENS = (1, 8), (9, 4), (13, 4), (17, 4), (21, 12)  # RFC 9562 §4: start and length


class Minors(Enum):
    """Whom the law lets nobody do this to, as far as the tables can tell."""

    ALLOWED = "nobody"
    NOTED = "those for whom somebody answered, until they are of age"
    UNLESS_NOTED = "whoever is not noted to be of age"


def allowed(
    subject: sa.SQLColumnExpression[Any],
    question: Question,
    *,
    data: frozenset[str] | None = None,
    min_assurance: Assurance = Assurance.SESSION,
    minors: Minors = Minors.ALLOWED,
    now: Callable[[], Millis],
    dialect: str,
) -> sa.ColumnElement[bool]:
    """Whether the answers of the person in ``subject`` cover a share at this instant.

    ``subject`` is a column or expression of the statement that the clause goes into:
    text, a whole number or a UUID. ``data`` None means every category of the question.
    ``now`` is called each time that the statement runs. ``dialect`` is ``"sqlite"`` or
    ``"postgresql"``.

    It sees what its statement sees: in an older snapshot, an older answer.

    Raises:
        ConfigurationError: ``subject`` is of a type that no subject id is of, or does
            not say of which table it is. A statement that does not select from its
            table raises it when it is compiled.
    """
    wanted = question.categories if data is None else data
    key = _key_outside(subject, dialect)
    declared = not question.transfer and question.recipient.active
    if not declared or not wanted or not wanted <= question.categories:
        return sa.false()
    instant = sa.bindparam(
        "consentkit_now", callable_=now, type_=sa.BigInteger, unique=True
    )
    answer = _Answer(question.purpose_id, question, wanted, question.scope)
    answers = [answer]
    if question.cross_border:
        purpose = question.purpose_id + CROSS_BORDER
        answers.append(_Answer(purpose, question, wanted, question.transfer_scope))
    # The state table's column first: its collation is the one that SQLite compares by.
    conditions = [answer.row.c.subject == key]
    conditions += [each.row.c.subject == answer.row.c.subject for each in answers[1:]]
    for each in answers:
        conditions += each.holds(instant, min_assurance, dialect)
    return (
        sa.select(sa.literal_column("1"))
        .where(*conditions, ~_suspended(question), _of_age(answers, instant, minors))
        .correlate_except(*(each.row for each in answers))
        .exists()
    )


class _Answer:
    """The row of one standing answer, and what has to be true of it."""

    def __init__(
        self, purpose: str, question: Question, data: frozenset[str], scope: str
    ) -> None:
        self.row = schema.state.alias()
        self._key = purpose, question.recipient_id
        self._data = data
        self._scope = scope

    def holds(
        self, now: sa.BindParameter[int], minimum: Assurance, dialect: str
    ) -> Iterable[sa.ColumnElement[bool]]:
        """The conditions that ``decide`` puts to this row alone."""
        row = self.row.c
        purpose, recipient = self._key
        levels = [each.value for each in Assurance if each.covers(minimum)]
        yield row.purpose == purpose
        yield row.recipient == recipient
        yield _one_of(row.state, _STATES)
        yield row.until > now
        if dialect == "sqlite":
            yield row.until <= _LAST
            yield row.since <= _LAST
        yield row.scope == self._scope
        yield _one_of(row.assurance, levels)
        yield self._covers(dialect)

    def _covers(self, dialect: str) -> sa.ColumnElement[bool]:
        """Whether every category is among the sorted ids in the column."""
        column = self.row.c.data
        find = sa.func.instr if dialect == "sqlite" else sa.func.strpos
        # Spaces round both, so that no id is found within another one. No LIKE: it
        # takes no notice of case on SQLite, and makes PostgreSQL expect hardly a row.
        padded = _quoted(" ") + column + _quoted(" ")
        each = [find(padded, f" {id_} ") > _number(0) for id_ in sorted(self._data)]
        if dialect == "sqlite":
            # Bytes would turn into text when spaces are put round; all text sorts
            # before them, and to compare is faster than to ask for the type.
            each.insert(0, column < sa.literal_column("x''"))
        return sa.and_(*each)


def subject_text(
    subject: sa.SQLColumnExpression[Any], dialect: str
) -> sa.ColumnElement[str]:
    """The id as the text that consentkit keeps, from what the app keeps.

    The cast is needed for text as well. A column that only calls itself text may be a
    number to SQLite, where '01' equals 1; and on PostgreSQL the app's column may have
    a collation, or a type, to which different texts are equal.
    """
    form = getattr(subject, "type", None)
    on_server = dialect == "postgresql"
    # PostgreSQL pads a CHAR: what the app reads is not what a cast to text gives.
    odd = (sa.Enum, sa.CHAR) if on_server else sa.Enum
    if not isinstance(form, (sa.Integer, sa.String, sa.Uuid)) or isinstance(form, odd):
        raise ConfigurationError(
            "allowed_clause needs a column of subject ids, of type String, Integer or "
            f"Uuid; got {'no column' if form is None else type(form).__name__}. If it "
            "holds them in another type, say which with sqlalchemy.type_coerce or cast"
        )
    text = sa.cast(subject, sa.Text)
    if isinstance(form, sa.Uuid) and not (on_server and form.native_uuid):
        return _hyphenated(text)  # 32 hex digits to the database
    return sa.collate(text, "C") if on_server else text


class _Outside(sa.TypeCoerce[Any]):
    """An expression of the enclosing statement, which brings no table along.

    SQLAlchemy puts into a FROM whatever its conditions name and no enclosing statement
    selects from. This says that it names nothing: what is not there already is an
    error, here or of the database, and never a table more.
    """

    inherit_cache = True

    @property
    def _from_objects(self) -> list[sa.FromClause]:
        return []

    def self_group(self, against: Any = None) -> _Outside:  # noqa: ARG002  SQLAlchemy's
        return self  # it stands within CAST (…)


@compiles(_Outside)
def _compiled(outside: _Outside, compiler: SQLCompiler, **options: Any) -> str:
    """The expression; refused where its table is not selected from.

    Raises:
        ConfigurationError: it is not.
    """
    # The innermost is our own EXISTS. Where nothing is round it, it is only printed.
    if len(compiler.stack) > 1:
        known = compiler.stack[-1]["correlate_froms"]
        selected = set().union(*(each._cloned_set for each in known))  # noqa: SLF001
        for table in outside.clause._from_objects:  # noqa: SLF001  it has no other name
            if selected.isdisjoint(table._cloned_set):  # noqa: SLF001
                name = getattr(table, "name", "its own table")
                raise ConfigurationError(
                    f"allowed_clause was given a column of {name!s:.80}, which is not "
                    "in the FROM of the statement: join it, or give the column of what "
                    "is there (its alias, the subquery)"
                )
    return compiler.process(outside.typed_expression, **options)


def _key_outside(
    subject: sa.SQLColumnExpression[Any], dialect: str
) -> sa.ColumnElement[str]:
    """The id of the enclosing statement's row, as the text that consentkit keeps.

    Raises:
        ConfigurationError: it is no id, or there is no telling whose.
    """
    form = getattr(subject, "type", None)
    if form is None:
        return subject_text(subject, dialect)  # which refuses it
    outside = _Outside(subject, form)
    key = subject_text(outside, dialect)
    for part in visitors.iterate(outside):
        if isinstance(part, (sa.SelectBase, sa.ScalarSelect, sa.Exists)):
            # Whether it is correlated is decided where it stands, which is within ours.
            raise ConfigurationError(
                "allowed_clause needs a column of what the statement selects from; got "
                "a subquery: join what it selects, and give the column of that"
            )
        bare = isinstance(part, sa.ColumnClause) and part.table is None
        if bare or isinstance(part, sa.TextClause):
            # Within our EXISTS it could be the name of a column of ours.
            raise ConfigurationError(
                "allowed_clause needs a column of a table; got a name without one: "
                "give it as sqlalchemy.table(…).c or as a column of your model"
            )
    return key


def _hyphenated(digits: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """A UUID as ``str(uuid)`` writes it."""
    parts = [
        sa.func.substr(sa.func.lower(digits), *map(_number, each), type_=sa.Text())
        for each in _HYPHENS
    ]
    text: sa.ColumnElement[str] = parts[0]
    for part in parts[1:]:
        text = text + _quoted("-") + part
    return text


def _suspended(question: Question) -> sa.Exists:
    """Whether an official stopped purpose or recipient: the same for all rows."""
    stop = schema.suspension.alias()
    return (
        sa.select(sa.literal_column("1"))
        .where(
            sa.or_(stop.c.purpose == "", stop.c.purpose == question.purpose_id),
            sa.or_(stop.c.recipient == "", stop.c.recipient == question.recipient_id),
        )
        .correlate_except(stop)
        .exists()
    )


def _of_age(
    answers: Iterable[_Answer], now: sa.BindParameter[int], minors: Minors
) -> sa.ColumnElement[bool]:
    """Whether nothing has to be agreed to anew, or is forbidden, for a child's sake."""
    rows = [each.row.c for each in answers]
    noted = schema.coming_of_age.alias()
    at = noted.c.at
    own = sa.and_(*(at <= row.since for row in rows))
    grown = sa.and_(own, at <= now)
    still_young = sa.and_(at > now, at <= _LAST)
    found: sa.Select[Any] = (
        sa.select(sa.literal_column("1"))
        .where(noted.c.subject == rows[0].subject)
        .correlate_except(noted)
    )
    if minors is Minors.UNLESS_NOTED:
        return found.where(grown).exists()
    good = grown if minors is Minors.NOTED else sa.or_(own, still_young)
    return ~found.where(~good).exists()


def _one_of(
    column: sa.ColumnElement[str], words: Iterable[str]
) -> sa.ColumnElement[bool]:
    """Comparisons, not IN: for a list of three SQLite builds a table."""
    return sa.or_(*(column == _quoted(each) for each in words))


def _quoted(word: str) -> sa.ColumnElement[str]:
    """One of our own words within the SQL text, where a planner can see it."""
    return sa.literal_column(f"'{word}'", sa.Text)


def _number(value: int) -> sa.ColumnElement[int]:
    return sa.literal_column(str(value), sa.Integer)
