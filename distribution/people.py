"""Reads pools and reps into the engine's shapes: one query for a pool, whatever its size, and one more for caps."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Aggregate, Count, Exists, OuterRef, Q, QuerySet, Subquery, TextField
from django.db.models.functions import Cast, JSONObject

from distribution.caps import read_caps
from distribution.engine.people import EQUAL_TOTALS, Cap, Member, Pool, Relax, Rep
from distribution.engine.people import Leave as EngineLeave
from distribution.engine.text import fold
from distribution.hours import ALWAYS, Doors, Timetable, first_team, leave_on
from distribution.models import Assignment, Hold, Leave, PoolMember, PoolWake
from distribution.models import Pool as PoolRow
from distribution.models import Rep as RepRow
from distribution.periods import period_start
from leadcrm.lib.prepared import Param, Prepared

SEPARATOR: Final = "\x1f"


class Joined(Aggregate):
    """Texts of a group joined into one, so that a list costs a column and not a query."""

    function = "STRING_AGG"
    template = "%(function)s(%(expressions)s, CHR(31))"
    output_field: "ClassVar[TextField[str, str]]" = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "GROUP_CONCAT(%(expressions)s, CHAR(31))"
        return self.as_sql(compiler, connection, template=template, **context)


def joined(rows: QuerySet[Any], by: str, column: str) -> Subquery:
    """The values of ``column`` over ``rows`` of one owner, as one text."""
    return Subquery(
        rows.order_by().values(by).annotate(_all=Joined(Cast(column, TextField()))).values("_all"),
        output_field=TextField(),
    )


_REP_FIELDS: Final = (
    "id", "user_id", "name", "active", "user__is_active", "status", "away_reason", "away_until", "languages",
    "time_zone", "capacity", "open_leads", "cap_per_hour", "cap_per_day", "cap_per_week", "cap_per_month",
    "cap_window", "hours_id", "last_assigned_at", "_skills", "_territories", "_team", "_leave",
)  # fmt: skip


def _extras(prefix: str, now: Any) -> dict[str, Subquery]:
    """Skills, territories, first team and leave of the rep at ``prefix`` of the outer query, as columns."""
    rep = OuterRef(f"{prefix}id")
    return {
        "_skills": joined(RepRow.skills.through.objects.filter(rep=rep), "rep", "skill__name"),
        "_territories": joined(RepRow.territories.through.objects.filter(rep=rep), "rep", "territory_id"),
        "_team": first_team(f"{prefix}user_id"),
        "_leave": Subquery(_leave_of(rep, now)),
    }


def _leave_of(rep: OuterRef, now: Any) -> QuerySet[Leave, Any]:
    """The leave that holds now, in one column; of several the one that ends last."""
    about = JSONObject(until="ends_at", reason="reason", cover="cover_id")
    return leave_on(now).filter(rep=rep).order_by("-ends_at", "-pk").values(about=about)[:1]


def load_rep(now: datetime, timetable: Timetable = ALWAYS, *, pk: int = 0, user_id: int = 0) -> Rep | None:
    """One rep as of now, by ``pk`` or ``user_id``; None when there is none. Without a timetable: always there."""
    moment = _as_param(now)
    row = _REP.first(pk=pk, now=moment) if pk else _REP_OF_USER.first(user_id=user_id, now=moment)
    return _reps([row], now, timetable)[row["id"]] if row else None


def load_person(user: User, now: datetime, timetable: Timetable) -> Rep | None:
    """The rep that a user is, as of now and without caps; None for who is none."""
    row = _REP_OF_USER.first(user_id=user.pk, now=_as_param(now))
    return _reps([row], now, timetable, {})[row["id"]] if row and row["active"] else None


def load_people(reps: "QuerySet[RepRow]", now: datetime, timetable: Timetable) -> list[Rep]:
    """Reps as of now, without their caps; one query, however many."""
    rows = list(reps.annotate(**_extras("", now)).values(*_REP_FIELDS))
    found = _reps(rows, now, timetable, {})
    return [found[row["id"]] for row in rows]


def _as_param(now: datetime) -> Any:
    """A moment as a prepared query takes it."""
    return connection.ops.adapt_datetimefield_value(now)


def _rep_by(key: str) -> "QuerySet[RepRow, dict[str, Any]]":
    reps = RepRow.objects.filter(**{key: Param(key)}).order_by()
    rows: QuerySet[RepRow, dict[str, Any]] = reps.annotate(**_extras("", Param("now"))).values(*_REP_FIELDS)
    return rows


_REP: Final = Prepared(lambda: _rep_by("pk"))
_REP_OF_USER: Final = Prepared(lambda: _rep_by("user_id"))


def load_pool(
    pool_id: int,
    now: datetime,
    timetable: Timetable = ALWAYS,
    known: Mapping[int, tuple[Cap, ...]] | None = None,
) -> Pool:
    """A pool and its members as of now. ``known``: caps by rep that were read already."""
    rows = _MEMBERS.rows(pool=pool_id, now=_as_param(now))
    if not rows:
        return _empty_pool(pool_id)
    reps = _reps([dict(zip(_REP_FIELDS, row[16:-1], strict=True)) for row in rows], now, timetable, known)
    name, method, team_id, relax, offer_minutes, archived_at, period = rows[0][9:16]
    drops = tuple(Relax(**step) for step in relax)
    totals = _totals(rows, period, now) if method == EQUAL_TOTALS else {}
    members = tuple(_member(row, reps[row[16]], totals) for row in rows)
    return Pool(pool_id, name, method, members, team_id, drops, offer_minutes, archived_at is not None, rows[0][-1])


def _members() -> "QuerySet[PoolMember, tuple[Any, ...]]":
    rep_columns = [name if name.startswith("_") else f"rep__{name}" for name in _REP_FIELDS]
    return (
        PoolMember.objects.filter(pool=Param("pool"), retired_at=None)
        .order_by("id")
        .annotate(**_extras("rep__", Param("now")))
        .values_list(
            # The order of the engine's Member, then when it joined.
            "id", "weight", "tier", "credit", "paused", "max_open", "open_leads", "last_assigned_at", "joined_at",
            "pool__name", "pool__method", "pool__team_id", "pool__relax", "pool__offer_minutes", "pool__archived_at",
            "pool__period", *rep_columns, Exists(_line()),
        )
    )  # fmt: skip


_MEMBERS: Final = Prepared(_members)


def _line() -> "QuerySet[Hold]":
    """Leads that wait for the pool and whose turn has come: their time is up, or somebody became available."""
    woken = Exists(PoolWake.objects.filter(pool=Param("pool")))
    return Hold.objects.filter(Q(retry_at__lte=Param("now")) | woken, released_at=None, pools=Param("pool"))


def _member(row: Sequence[Any], rep: Rep, totals: Mapping[int, int]) -> Member:
    pk, weight, tier, credit, paused, max_open, open_leads, last_assigned_at = row[:8]
    total = totals.get(pk, 0)
    return Member(pk, rep, weight, tier, credit, paused, max_open, open_leads, total, last_assigned_at)


def _empty_pool(pool_id: int) -> Pool:
    row = PoolRow.objects.get(pk=pool_id)
    return Pool(row.pk, row.name, row.method, team_id=row.team_id, archived=row.archived_at is not None)


def _totals(rows: Sequence[Any], period: str, now: datetime) -> dict[int, int]:
    """Leads per member over the part of the period in which all of them were there, so that nobody who joins has to
    catch up."""
    since = max(period_start(period, now, "UTC"), *(row[8] for row in rows))
    counted = Assignment.objects.filter(member__in=[row[0] for row in rows], started_at__gte=since)
    return dict(counted.values_list("member").annotate(count=Count("id")))


def _reps(
    rows: Sequence[dict[str, Any]],
    now: datetime,
    timetable: Timetable,
    known: Mapping[int, tuple[Cap, ...]] | None = None,
) -> dict[int, Rep]:
    caps = known if known is not None else read_caps(rows, now)
    doors = Doors(timetable, now)
    return {row["id"]: _rep(row, now, caps.get(row["id"], ()), doors) for row in rows}


def _rep(row: dict[str, Any], now: datetime, caps: tuple[Cap, ...], doors: Doors) -> Rep:
    until = row["away_until"]
    off_hours, opens_at = doors.closed(row["hours_id"], row["_team"], row["time_zone"])
    return Rep(
        id=row["id"],
        user_id=row["user_id"],
        name=row["name"],
        team_id=row["_team"],
        active=row["active"] and row["user__is_active"],
        away=row["status"] == RepRow.Status.AWAY and (until is None or until > now),
        away_reason=row["away_reason"],
        away_until=until,
        leave=_leave(row["_leave"]),
        off_hours=off_hours,
        opens_at=opens_at,
        languages=frozenset(row["languages"]),
        skills=frozenset(fold(name) for name in _split(row["_skills"])),
        territories=frozenset(int(pk) for pk in _split(row["_territories"])),
        capacity=row["capacity"],
        open_leads=row["open_leads"],
        caps=caps,
        last_assigned_at=row["last_assigned_at"],
        time_zone=row["time_zone"],
    )


def _leave(found: dict[str, Any] | None) -> EngineLeave | None:
    if found is None:
        return None
    until = datetime.fromisoformat(found["until"])
    # SQLite keeps moments in UTC and does not say so.
    return EngineLeave(until if until.tzinfo else until.replace(tzinfo=UTC), found["reason"], found["cover"])


def _split(text: str | None) -> list[str]:
    return text.split(SEPARATOR) if text else []
