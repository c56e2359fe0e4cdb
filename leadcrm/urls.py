from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from leadcrm.health import healthz, readyz

urlpatterns = [
    path("", RedirectView.as_view(url="/board/"), name="home"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("admin/", admin.site.urls),
    path("", include("pipeline.urls")),
    path("", include("distribution.urls")),
]
