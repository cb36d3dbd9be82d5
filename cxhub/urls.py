"""Every address of the site. Each part keeps its own urls.py; this file only mounts them."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from cxhub.views import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health, name="health"),
    path("admin/", admin.site.urls),
    path("reports/", include("reporting.urls")),
    path("accounts/", include("allauth.urls")),
]
