from django.urls import URLPattern, URLResolver, path

from distribution import availabilityviews as there
from distribution import mydayviews as myday
from distribution import passingviews as passing
from distribution import reassignviews as reassigning
from distribution import teamviews, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("leads/<uuid:uid>/decision/", views.decision, name="lead-decision"),
    path("leads/<uuid:uid>/decision/<int:number>/", views.decision, name="lead-decision"),
    path("leads/<uuid:uid>/plan/", views.plan, name="lead-plan"),
    path("leads/<uuid:uid>/accept/", views.accept, name="lead-accept"),
    path("leads/<uuid:uid>/claim/", views.claim, name="lead-claim"),
    path("reassign/", reassigning.reassign, name="leads-reassign"),
    path("leads/<uuid:uid>/pass-on/ways/", passing.ways, name="lead-ways"),
    path("leads/<uuid:uid>/return/", passing.give_up, {"way": passing.RETURN}, name="lead-return"),
    path("leads/<uuid:uid>/give-back/", passing.give_up, {"way": passing.GIVE_BACK}, name="lead-give-back"),
    path("leads/<uuid:uid>/pass-on/", passing.pass_on, name="lead-pass-on"),
    path("my/", myday.my_day, name="my-day"),
    path("my/changes/", myday.changes, name="my-day-changes"),
    path("my/fairness/", myday.fairness, name="my-fairness"),
    path("my/availability/", there.mine, name="my-availability"),
    path("team/availability/", teamviews.team, name="team-availability"),
    path("team/<int:pk>/give/", teamviews.give, name="team-give"),
    path("availability/<int:pk>/", there.one, name="availability"),
    path("availability/<int:pk>/fairness/", myday.fairness_of, name="fairness-of"),
    path("availability/<int:pk>/hand-over/", teamviews.hand_over_all, name="hand-over"),
    path("availability/<int:pk>/hand-over/leave/", teamviews.lend_all, name="hand-over-leave"),
    path("availability/<int:pk>/pause/", teamviews.pause, name="pause"),
    path("availability/<int:pk>/status/", there.status, name="availability-status"),
    path("availability/<int:pk>/calendar/", there.calendar, name="availability-calendar"),
    path("availability/<int:pk>/calendar/reading/", there.reading, name="availability-reading"),
    path("availability/<int:pk>/leave/", there.add_leave, name="leave-add"),
    path("availability/<int:pk>/leave/<int:leave_pk>/", there.edit_leave, name="leave-edit"),
    path("availability/<int:pk>/leave/<int:leave_pk>/cancel/", there.end_leave, name="leave-cancel"),
    path("offers/", views.offers, name="offers"),
    path("offers/next/", views.pull, name="offers-next"),
]
