from django.urls import URLPattern, URLResolver, include, path

from pipeline import leadviews, searchviews, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/", include("pipeline.api.urls")),
    path("search/", searchviews.search, name="search"),
    path("accounts/<uuid:uid>/", searchviews.account, name="account"),
    path("board/", views.board, name="board"),
    path("board/<slug:slug>/", views.board, name="board"),
    path("board/<slug:slug>/<slug:stage>/", views.board_column, name="board-column"),
    path("leads/<uuid:uid>/", leadviews.lead, name="lead"),
    path("leads/<uuid:uid>/contact/", leadviews.contact, name="lead-contact"),
    path("leads/<uuid:uid>/note/", leadviews.note, name="lead-note"),
    path("leads/<uuid:uid>/snooze/", leadviews.snooze, name="lead-snooze"),
    path("leads/<uuid:uid>/wake/", leadviews.wake, name="lead-wake"),
]
