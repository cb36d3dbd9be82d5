"""A bare Django view that verifies the signature of a webhook and inserts one row: the least that any answer costs."""

import json

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from conversations.models import WebhookRecord
from conversations.voice import signature


async def keep(request: HttpRequest) -> HttpResponse:
    webhook = signature.verify(request.headers.get("Authorization", ""), request.body)
    body = json.loads(request.body)
    await WebhookRecord.objects.acreate(
        token_id=webhook.token_id, body_hash=webhook.body_hash, kind="input", provider_id=body["uuid"], body=body
    )
    return JsonResponse([], safe=False)


async def healthy(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [path("voice/input/", keep), path("healthz", healthy)]
