from django.urls import URLPattern, URLResolver, path

from distribution import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("leads/<uuid:uid>/decision/", views.decision, name="lead-decision"),
    path("leads/<uuid:uid>/decision/<int:number>/", views.decision, name="lead-decision"),
    path("leads/<uuid:uid>/plan/", views.plan, name="lead-plan"),
    path("leads/<uuid:uid>/accept/", views.accept, name="lead-accept"),
    path("leads/<uuid:uid>/claim/", views.claim, name="lead-claim"),
    path("offers/", views.offers, name="offers"),
    path("offers/next/", views.pull, name="offers-next"),
]
