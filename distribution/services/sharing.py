"""Pools and reps that many decisions share: as the decisions before have left them, and as they will probably be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from time import perf_counter_ns

from distribution.caps import SPANS
from distribution.engine.decision import Decision as Choice
from distribution.engine.facts import LeadFacts
from distribution.engine.people import EQUAL_TOTALS, Cap, Member, Pool, Rep
from distribution.engine.rules import Look
from distribution.engine.snapshot import Snapshot
from distribution.services.recording import Case
from distribution.snapshots import Find, Found, Subject, decide

# What a decision asks for: of what kind, and which.
Asked = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Waiting:
    """One lead of a chunk with its facts, the world as it stands for it without anybody in it, and the first rules
    held against it."""

    subject: Subject
    facts: LeadFacts
    world: Snapshot
    seen: Sequence[Look]

    @property
    def pk(self) -> int:
        return self.subject.lead.pk


class Shared:
    """Pools and reps that the leads of a group share, as the leads before have left them.

    Args:
        find: where they come from when the first decision asks for them, as they were before the group.

    Attributes:
        changed: the reps whom decisions changed, by id. Who is found later is as they are, not as before the group.
    """

    def __init__(self, find: Find) -> None:
        self._find = find
        self.changed: dict[int, Rep] = {}
        self.pools: Mapping[int, Pool] = {}
        self.reps: Mapping[int, Rep] = {}
        self.owners: Mapping[int, Rep | None] = {}

    def decide(self, waiting: Waiting) -> Case:
        snapshot = replace(waiting.world, pools=self.pools, reps=self.reps, owners=self.owners)
        started = perf_counter_ns()
        choice, snapshot = decide(waiting.facts, snapshot, self._found, waiting.seen)
        took_us = (perf_counter_ns() - started) // 1000
        self.pools, self.reps, self.owners = snapshot.pools, snapshot.reps, snapshot.owners
        return Case.of(waiting.subject, choice, took_us)

    def note(self, choice: Choice, now: datetime) -> None:
        """Let the next decision see what this one did: credits, open leads, counts."""
        if choice.winner is None:
            return
        rep = self.changed[choice.winner.rep.id] = _one_more(choice.winner.rep, now)
        self.pools = {pk: _after(pool, rep, choice, now) for pk, pool in self.pools.items()}
        self.reps = {pk: rep if pk == rep.id else other for pk, other in self.reps.items()}
        self.owners = {pk: rep if other and other.id == rep.id else other for pk, other in self.owners.items()}

    def _found(self, kind: str, id: int) -> Found:
        return _with_reps(self._find(kind, id), self.changed)


class Forecast:
    """Pools and reps as they will probably be once all that was decided is written. Each is read once; then the
    decisions tell what becomes of it.

    Attributes:
        failed: it did not come so. What was decided on it since will not come so either.
    """

    def __init__(self) -> None:
        self.failed = False
        self._known: dict[Asked, Found] = {}
        self._reps: dict[int, Rep] = {}

    def find(self, kind: str, id: int, read: Find) -> Found:
        """What a decision asks for; ``read`` where it comes from the first time."""
        asked = (kind, id)
        known = self._known[asked] if asked in self._known else read(kind, id)
        # With what its reps got by other pools.
        found = self._known[asked] = _with_reps(known, self._reps)
        return found

    def carry_on(self, shared: Shared) -> None:
        """Go on from what decisions left."""
        self._known |= {("pool", pk): pool for pk, pool in shared.pools.items()}
        self._known |= {("rep", pk): rep for pk, rep in shared.reps.items()}
        self._known |= {("owner", pk): rep for pk, rep in shared.owners.items()}
        self._reps |= shared.changed


def _with_reps(found: Found, reps: Mapping[int, Rep]) -> Found:
    """A rep, or a pool with its reps, as some of them are by now."""
    if isinstance(found, Rep):
        return reps.get(found.id, found)
    if found is None or not any(member.rep.id in reps for member in found.members):
        return found
    members = (replace(member, rep=reps.get(member.rep.id, member.rep)) for member in found.members)
    return replace(found, members=tuple(members))


def _one_more(rep: Rep, now: datetime) -> Rep:
    caps = tuple(_one_more_of(cap, now) for cap in rep.caps)
    return replace(rep, open_leads=rep.open_leads + 1, caps=caps, last_assigned_at=now)


def _one_more_of(cap: Cap, now: datetime) -> Cap:
    """At the latest there is room again when the lead of now is past."""
    reached = cap.rolling and cap.used + 1 == cap.limit
    return replace(cap, used=cap.used + 1, until=now + SPANS[cap.period] if reached else cap.until)


def _after(pool: Pool, rep: Rep, choice: Choice, now: datetime) -> Pool:
    """A pool as it is after a decision: credits where it posted, and the rep's load wherever the rep is a member."""
    postings = choice.postings if choice.pool is not None and choice.pool.id == pool.id else {}
    return replace(pool, members=tuple(_member_after(member, rep, postings, choice, now) for member in pool.members))


def _member_after(member: Member, rep: Rep, postings: dict[int, int], choice: Choice, now: datetime) -> Member:
    if choice.winner is not None and choice.winner.id == member.id:
        counts = choice.pool is not None and choice.pool.method == EQUAL_TOTALS
        return _moved(member, rep, postings.get(member.id, 0), 1, int(counts), now)
    change, same = postings.get(member.id, 0), member.rep.id == rep.id
    if not change and not same:
        return member
    return _moved(member, rep if same else member.rep, change, 0, 0, member.last_assigned_at)


def _moved(
    member: Member, rep: Rep, credit: int, leads: int, counted: int, last_assigned_at: datetime | None
) -> Member:
    """Spelled out because it happens to every member for every lead, and replace() takes twice as long."""
    return Member(
        member.id,
        rep,
        member.weight,
        member.tier,
        member.credit + credit,
        member.paused,
        member.max_open,
        member.open_leads + leads,
        member.total + counted,
        last_assigned_at,
    )
