"""The addresses that the phone platform posts to."""

from django.urls import path

from conversations.voice.webhooks import door

app_name = "voice"
urlpatterns = [
    path("answer/", door("answer"), name="answer"),
    path("fallback/", door("fallback"), name="fallback"),
    path("event/", door("event"), name="event"),
    path("input/", door("input"), name="input"),
    path("listening/", door("listening"), name="listening"),
    path("notify/", door("notify"), name="notify"),
    path("recording/", door("recording"), name="recording"),
    path("recording/<uuid:public_id>/", door("call-recording"), name="call-recording"),
    path("voicemail/<uuid:public_id>/", door("voicemail"), name="voicemail"),
    path("called/<uuid:public_id>/answer/", door("called-answer"), name="called-answer"),
    path("called/<uuid:public_id>/event/", door("called-event"), name="called-event"),
    path("campaign/<uuid:public_id>/answer/", door("campaign-answer"), name="campaign-answer"),
    path("campaign/<uuid:public_id>/event/", door("campaign-event"), name="campaign-event"),
    path("call-back/<uuid:public_id>/answer/", door("call-back-answer"), name="call-back-answer"),
    path("call-back/<uuid:public_id>/event/", door("call-back-event"), name="call-back-event"),
    path("text/", door("text"), name="text"),
    path("text/status/", door("text-status"), name="text-status"),
    path("agent/<uuid:public_id>/<uuid:seat>/event/", door("seat-event"), name="seat-event"),
    path("agent/<uuid:public_id>/<uuid:seat>/listening/", door("seat-listening"), name="seat-listening"),
    path("agent/<uuid:public_id>/<uuid:seat>/input/", door("seat-input"), name="seat-input"),
]
