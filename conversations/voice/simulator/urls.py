"""The simulator's addresses, mounted only when it is chosen."""

from django.urls import path

from conversations.voice.simulator import account, desk, mail, phone, rest, texting

app_name = "simulator"
urlpatterns = [
    path("phone/", phone.page, name="phone"),
    path("phone/people/", desk.index, name="desks"),
    path("phone/at/<path:address>/", desk.page, name="desk"),
    path("phone/stream/", phone.stream, name="stream"),
    path("phone/ringing/", phone.ringing_phones, name="ringing"),
    path("phone/calls/", phone.dial, name="dial"),
    path("phone/calls/<str:leg_id>/", phone.look, name="look"),
    path("phone/calls/<str:leg_id>/act/", phone.act, name="act"),
    path("phone/texts/", phone.texts, name="texts"),
    path("phone/texts/write/", texting.write, name="write-text"),
    path("faults/", phone.chosen_faults, name="faults"),
    path("mail/", mail.page, name="mail"),
    path("v2/applications", account.applications, name="applications"),
    path("v2/applications/<str:application_id>", account.application, name="application"),
    path("account/numbers", account.numbers, name="numbers"),
    path("number/update", account.update_number, name="update-number"),
    path("v1/messages", rest.messages, name="messages"),
    path("v1/files/<str:file_id>", rest.file, name="file"),
    path("v3/media/<str:file_id>", rest.media, name="media"),
    path("v1/calls", rest.calls, name="calls"),
    path("v1/calls/<str:leg_id>", rest.call, name="call"),
    path("v1/calls/<str:leg_id>/talk", rest.talk, name="talk"),
    path("v1/calls/<str:leg_id>/stream", rest.stream, name="play"),
    path("v1/calls/<str:leg_id>/dtmf", rest.keys, name="keys"),
    path("v1/calls/<str:leg_id>/input/dtmf", rest.keys_pressed, name="keys_pressed"),
]
