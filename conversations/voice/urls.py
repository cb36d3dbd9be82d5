"""The addresses that the phone platform posts to."""

from django.urls import path

from conversations.voice import webhooks

app_name = "voice"
urlpatterns = [
    path("answer/", webhooks.answer, name="answer"),
    path("event/", webhooks.event, name="event"),
    path("input/", webhooks.input_given, name="input"),
    path("called/<uuid:public_id>/answer/", webhooks.called_answer, name="called-answer"),
    path("called/<uuid:public_id>/event/", webhooks.called_event, name="called-event"),
    path("campaign/<uuid:public_id>/answer/", webhooks.campaign_answer, name="campaign-answer"),
    path("campaign/<uuid:public_id>/event/", webhooks.campaign_event, name="campaign-event"),
    path("text/", webhooks.text_received, name="text"),
    path("agent/<uuid:public_id>/event/", webhooks.agent_event, name="agent-event"),
    path("agent/<uuid:public_id>/input/", webhooks.agent_input, name="agent-input"),
]
