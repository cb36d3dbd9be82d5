"""Addresses that belong to no part of the product."""

from django.conf import settings
from django.core.cache import cache
from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis import RedisError


@never_cache
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """For load balancers and the supervisor: 200 when this process reaches PostgreSQL and Valkey, otherwise 503."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        cache.get("health")
    except (DatabaseError, RedisError) as error:
        return HttpResponse(f"not ready: {type(error).__name__}\n", status=503, content_type="text/plain")
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Where to go: the doors for customers and for staff. The demo company is mentioned only while debugging."""
    doors = {"demo": settings.DEBUG, "simulator": settings.VONAGE_GATEWAY == "simulator"}
    return render(request, "start.html", doors)
