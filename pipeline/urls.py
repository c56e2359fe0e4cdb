from django.urls import URLPattern, URLResolver, include, path

from pipeline import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/", include("pipeline.api.urls")),
    path("board/", views.board, name="board"),
    path("board/<slug:slug>/", views.board, name="board"),
    path("board/<slug:slug>/<slug:stage>/", views.board_column, name="board-column"),
    path("leads/<uuid:uid>/", views.lead, name="lead"),
]
