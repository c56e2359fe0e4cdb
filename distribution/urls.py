from django.urls import URLPattern, URLResolver, path

from distribution import availabilityviews as there
from distribution import reassignviews as reassigning
from distribution import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("leads/<uuid:uid>/decision/", views.decision, name="lead-decision"),
    path("leads/<uuid:uid>/decision/<int:number>/", views.decision, name="lead-decision"),
    path("leads/<uuid:uid>/plan/", views.plan, name="lead-plan"),
    path("leads/<uuid:uid>/accept/", views.accept, name="lead-accept"),
    path("leads/<uuid:uid>/claim/", views.claim, name="lead-claim"),
    path("reassign/", reassigning.reassign, name="leads-reassign"),
    path("my/availability/", there.mine, name="my-availability"),
    path("team/availability/", there.team, name="team-availability"),
    path("availability/<int:pk>/", there.one, name="availability"),
    path("availability/<int:pk>/status/", there.status, name="availability-status"),
    path("availability/<int:pk>/calendar/", there.calendar, name="availability-calendar"),
    path("availability/<int:pk>/leave/", there.add_leave, name="leave-add"),
    path("availability/<int:pk>/leave/<int:leave_pk>/", there.edit_leave, name="leave-edit"),
    path("availability/<int:pk>/leave/<int:leave_pk>/cancel/", there.end_leave, name="leave-cancel"),
    path("offers/", views.offers, name="offers"),
    path("offers/next/", views.pull, name="offers-next"),
]
