"""Every address of the site. Each part keeps its own urls.py; this file only mounts them."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from cxhub.views import health, start

urlpatterns: list[URLPattern | URLResolver] = [
    path("", start, name="start"),
    path("healthz", health, name="health"),
    path("inbox/", include("conversations.inbox.urls")),
    path("admin/", admin.site.urls),
    path("reports/", include("reporting.urls")),
    path("", include("conversations.chat.urls")),
    path("accounts/", include("allauth.urls")),
    path("voice/", include("conversations.voice.urls")),
]
if settings.VONAGE_GATEWAY == "simulator":
    urlpatterns.append(path("simulator/", include("conversations.voice.simulator.urls")))
