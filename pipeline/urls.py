from django.urls import URLPattern, URLResolver, include, path

from pipeline import leadviews, moveviews, searchviews, tableviews, taskviews, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/", include("pipeline.api.urls")),
    path("search/", searchviews.search, name="search"),
    path("accounts/<uuid:uid>/", searchviews.account, name="account"),
    path("board/", views.board, name="board"),
    path("board/<slug:slug>/", views.board, name="board"),
    path("board/<slug:slug>/stage/<slug:stage>/", views.column, name="board-column"),
    path("board/<slug:slug>/changes/", views.changes, name="board-changes"),
    path("board/<slug:slug>/move/<uuid:uid>/", moveviews.move, name="board-move"),
    path("board/<slug:slug>/undo/<uuid:uid>/", moveviews.undo, name="board-undo"),
    path("board/<slug:slug>/bulk/", moveviews.bulk, name="board-bulk"),
    path("board/<slug:slug>/add/", moveviews.add, name="board-add"),
    path("board/<slug:slug>/table/", tableviews.table, name="board-table"),
    path("board/<slug:slug>/export/", tableviews.export, name="board-export"),
    path("board/<slug:slug>/filters/", tableviews.filters, name="board-filters"),
    path("board/<slug:slug>/views/", tableviews.save_view, name="board-views"),
    path("board/<slug:slug>/views/<int:pk>/forget/", tableviews.forget_view, name="board-view-forget"),
    path("leads/<uuid:uid>/", leadviews.lead, name="lead"),
    path("leads/<uuid:uid>/history/", leadviews.history, name="lead-history"),
    path("leads/<uuid:uid>/edit/", leadviews.edit, name="lead-edit"),
    path("leads/<uuid:uid>/stage/", leadviews.stage, name="lead-stage"),
    path("leads/<uuid:uid>/tasks/", taskviews.add, name="task-add"),
    path("tasks/<int:pk>/", taskviews.change, name="task"),
    path("tasks/<int:pk>/done/", taskviews.done, name="task-done"),
    path("tasks/<int:pk>/drop/", taskviews.drop, name="task-drop"),
    path("leads/<uuid:uid>/contact/", leadviews.contact, name="lead-contact"),
    path("leads/<uuid:uid>/note/", leadviews.note, name="lead-note"),
    path("leads/<uuid:uid>/snooze/", leadviews.snooze, name="lead-snooze"),
    path("leads/<uuid:uid>/wake/", leadviews.wake, name="lead-wake"),
]
