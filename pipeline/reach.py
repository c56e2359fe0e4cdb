"""What a user reaches beside the leads that they own, read in one query: for boards, which ask many times.

``pipeline.selectors`` says the same for pages that ask once; ``tests/pipeline/test_selectors.py`` compares the two.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Exists, OuterRef, Q, QuerySet, Value

from leadcrm.lib import access
from leadcrm.lib.prepared import Param, Prepared
from pipeline.models import Lead, Team
from pipeline.signals import blind_asked, condition_from, hiders_asked

_WORK_TEAM: Final = "work_team_leads"
_VIEW_TEAM: Final = "view_team_leads"
_WORK_PIPELINE: Final = "work_pipeline"
_VIEW_SOURCE: Final = "view_source_leads"
# What can be granted, and what of a lead it is granted on.
_PATHS: Final = {_WORK_TEAM: "team", _VIEW_TEAM: "team", _WORK_PIPELINE: "stage__pipeline", _VIEW_SOURCE: "source"}


@dataclass(frozen=True, slots=True)
class Reach:
    """The teams that a user manages and is in, and what was granted to them, as ids by permission.

    ``owns``: has leads. ``hides``: some leads may be hidden as long as nobody has them.
    """

    user: User
    managed: Collection[int] = ()
    joined: Collection[int] = ()
    granted: Mapping[str, Collection[int]] = field(default_factory=dict)
    owns: bool = False
    hides: bool = False

    def leads(self) -> QuerySet[Lead]:
        """The leads the user may read."""
        if not self.user.is_active:
            return Lead.objects.none()
        if self.user.has_perm("pipeline.view_lead"):
            return Lead.objects.all()
        shown = Q(team__in=self.joined, owner=None) | self._granted()
        if self.hides:
            shown &= not_hidden()
        return Lead.objects.filter(self._theirs() | shown)

    def near(self) -> QuerySet[Lead]:
        """Those that come into the user's sight and leave it again, where they are now: not to be shown."""
        if not self.user.is_active or self.user.has_perm("pipeline.view_lead"):
            return self.leads()
        return Lead.objects.filter(self._theirs() | Q(team__in=self.joined) | self._granted())

    def _theirs(self) -> Q:
        return Q(owner=self.user) | Q(team__in=self.managed)

    def _granted(self) -> Q:
        """What was granted to the user; nothing where that is nothing."""
        granted = Q(pk__in=())
        for permission, path in _PATHS.items():
            if self._has(permission):
                granted |= self._among(path, permission)
        return granted

    def opens(self, pipeline: int) -> bool:
        """Whether the user may open the board of a pipeline: where they may add leads, everywhere when they look on."""
        looks_on = self.user.has_perm("pipeline.view_lead") or self._has(_VIEW_TEAM) or self._has(_VIEW_SOURCE)
        return self.user.is_active and (looks_on or self.adds_to(pipeline))

    def adds_to(self, pipeline: int) -> bool:
        """Whether the user may add leads to a pipeline: people of teams, those who have leads, those who were trusted
        with a team or with this pipeline, and who may add or change all leads."""
        everywhere = self.user.has_perm("pipeline.change_lead") or self.user.has_perm("pipeline.add_lead")
        works = bool(self.joined or self.managed) or self.owns or self._has(_WORK_TEAM)
        here = self._all(_WORK_PIPELINE) or pipeline in self.granted.get(_WORK_PIPELINE, ())
        return self.user.is_active and (everywhere or works or here)

    def _all(self, permission: str) -> bool:
        return self.user.has_perm(f"pipeline.{permission}")

    def _has(self, permission: str) -> bool:
        return self._all(permission) or bool(self.granted.get(permission))

    def _among(self, path: str, permission: str) -> Q:
        if self._all(permission):
            return Q(**{f"{path}__isnull": False})
        return Q(**{f"{path}__in": self.granted[permission]})


def not_hidden() -> Q:
    """Leads that somebody has, and of the others those that are no secret as long as nobody does."""
    return Q(owner__isnull=False) | ~condition_from(blind_asked)


def reach_of(user: User | AnonymousUser) -> Reach:
    """One query; none for visitors who have not signed in."""
    if not isinstance(user, User) or not user.is_active:
        return Reach(User(is_active=False))
    found: dict[str, list[int]] = {}
    for pk, what in _reached().rows(user=user.pk):
        found.setdefault(what, []).append(pk)
    return Reach(
        user,
        managed=found.get("managed", ()),
        joined=found.get("joined", ()),
        granted={permission: found.get(permission, ()) for permission in _PATHS},
        owns="owns" in found,
        hides="hides" in found,
    )


@cache
def _reached() -> Prepared[tuple[int, str]]:
    """Rows of an id and what it is. Made when it is first asked for: who hides leads is known then."""
    user = Param("user")
    hiders: list[tuple[Any, Any]] = hiders_asked.send(None)
    wide: list[tuple[str, QuerySet[Any, Any]]] = [
        ("managed", Team.objects.filter(manager=user).values_list("pk")),
        ("joined", Team.members.through.objects.filter(user=user).values_list("team_id")),
        ("owns", User.objects.filter(Exists(Lead.objects.filter(owner=OuterRef("pk"))), pk=user).values_list("pk")),
        *(("hides", rows.values_list("pk")) for _, rows in hiders),
    ]
    named = [rows.order_by().annotate(what=Value(name)) for name, rows in wide]
    return Prepared(*(rows.all for rows in (*named, *access.grants(user, _PATHS))))
