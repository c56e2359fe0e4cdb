"""Who may do what with one team, pipeline, pool or source. The only module that knows guardian.

Permissions are given to groups, never to a single person or on a single lead: a lead is visible through its owner, its
team or its source, and the apps' selectors say how.
"""

from collections.abc import Collection
from typing import Any, TypeVar

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group
from django.db.models import BigIntegerField, Model, QuerySet
from django.db.models.functions import Cast
from guardian import admin as guardian_admin
from guardian.models import GroupObjectPermission, UserObjectPermission
from guardian.shortcuts import assign_perm, get_objects_for_user, remove_perm

from leadcrm.lib.prepared import Param

__all__ = ["GuardedModelAdmin", "grant", "grants", "has", "objects_for", "revoke"]

# For admin pages: who may do what with one object. Not typed, like the admin classes it is mixed with.
GuardedModelAdmin: Any = guardian_admin.GuardedModelAdmin

M = TypeVar("M", bound=Model)
User = AbstractBaseUser | AnonymousUser


def grant(group: Group, permission: str, target: Model) -> None:
    """Let the members of a group do this with that object. Safe to repeat.

    permission: a codename of the object's model, such as "view_team".
    """
    assign_perm(permission, group, target)


def revoke(group: Group, permission: str, target: Model) -> None:
    """Take the permission back. Safe to repeat."""
    remove_perm(permission, group, target)


def objects_for(user: User, permission: str, model: type[M]) -> QuerySet[M]:
    """The objects that a user may do this with, through a group, or all through a permission for the whole model.

    To be used as a subquery. Empty for a visitor who has not signed in and for a user who is not active.
    """
    if not user.is_active:
        return model._default_manager.none()
    found: QuerySet[M] = get_objects_for_user(
        user, permission, model._default_manager.all(), use_groups=True, accept_global_perms=True
    )
    return found


def grants(user: Param, permissions: Collection[str]) -> list[QuerySet[Any, Any]]:
    """What a user was granted on single objects by their groups, as rows (id of the object, permission), for prepared
    queries. Beside it stand permissions for a whole model: ask ``has_perm``.
    """
    of_user = UserObjectPermission.objects.filter(user=user).order_by()
    of_groups = GroupObjectPermission.objects.filter(group__user=user).order_by()
    return [
        rows.filter(permission__codename__in=permissions)
        .annotate(target=Cast("object_pk", BigIntegerField()))
        .values_list("target", "permission__codename")
        for rows in (of_user, of_groups)
    ]


def has(user: User, permission: str, target: Model) -> bool:
    """Whether a user may do this with that object. Agrees with `objects_for`."""
    return objects_for(user, permission, type(target)).filter(pk=target.pk).exists()
