from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path
from django.views.generic import RedirectView

from leadcrm.health import healthz, readyz
from leadcrm.views import SignIn, admin_sign_in, appearance

urlpatterns = [
    path("", RedirectView.as_view(url="/board/"), name="home"),
    path("login/", SignIn.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("appearance/", appearance, name="appearance"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("admin/login/", admin_sign_in),  # goes before the admin's own
    path("admin/", admin.site.urls),
    path("", include("pipeline.urls")),
    path("", include("distribution.urls")),
    path("", include("notifications.urls")),
]
