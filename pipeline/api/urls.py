from django.urls import include, path, re_path
from rest_framework.routers import SimpleRouter

from pipeline.api.views import DocsView, LeadViewSet, NothingHere, SchemaView

router = SimpleRouter(use_regex_path=False)
router.register("leads", LeadViewSet, basename="lead")

urlpatterns = [
    path("v1/", include(router.urls)),
    path("v1/schema/", SchemaView.as_view(), name="schema"),
    path("v1/docs/", DocsView.as_view(url_name="api:schema"), name="docs"),
    re_path("", NothingHere.as_view(), name="nothing"),
]
app_name = "api"
