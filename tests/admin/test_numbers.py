"""A phone number as an entry point: what a manager may say of it, and what is told about what cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from conversations.models import EntryPoint, OutsideNumber
from conversations.voice import ncco
from tests.record import rows
from tests.reporting import cast

NO_MUSIC = "Write an address that begins with https:// and ends with .mp3 or .wav."
pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(client: Client) -> Client:
    client.force_login(cast.manager())
    return client


@pytest.fixture
def door() -> EntryPoint:
    return rows.phone_line()


def page(door: EntryPoint) -> str:
    return reverse("admin:conversations_entrypoint_change", args=[door.pk])


def saved(client: Client, door: EntryPoint, **changes: Any) -> list[str]:
    """Every error of the page when this is changed and saved; none when it was."""
    form = client.get(page(door)).context["adminform"].form
    data: dict[str, Any] = {}
    for name, field in form.fields.items():
        value = field.prepare_value(form.get_initial_for_field(field, name))
        if value is not None and value is not False and value != []:
            data[name] = value
    answer = client.post(page(door), {key: value for key, value in (data | changes).items() if value is not None})
    if answer.status_code == 302:
        return []
    return [str(each) for errors in answer.context["adminform"].form.errors.values() for each in errors]


def test_a_number_is_kept_in_its_international_form(manager: Client, door: EntryPoint) -> None:
    assert saved(manager, door, address="01632 960 100") == []
    door.refresh_from_db()
    assert door.address == "+441632960100"


def test_everything_of_a_number_is_on_its_page(manager: Client, door: EntryPoint) -> None:
    changes = {
        "takes_texts": "on", "waiting_music": "https://media.example.com/waltz.mp3", "voice_premium": "on", "voice_provider": "ElevenLabs",
        "voice_options": "voiceId = 21m00\nmodel = turbo",
    }  # fmt: skip
    assert saved(manager, door, **changes) == []
    door.refresh_from_db()
    assert (door.takes_texts, door.waiting_music) == (True, "https://media.example.com/waltz.mp3")
    assert door.voice == {"premium": True, "provider": "ElevenLabs", "providerOptions": {"voiceId": "21m00", "model": "turbo"}}
    shown = manager.get(page(door)).content.decode()
    for words in ("Languages offered", "The routing table decides by the need", "Text messages", "How the AI agent sounds"):
        assert words in shown


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"address": "no number"}, "Write a phone number, such as +441632960100."),
        ({"address": "999"}, "This is an emergency number."),
        ({"waiting_music": "waltz.mp3"}, NO_MUSIC),
        ({"waiting_music": "https://media.example.com/waltz.ogg"}, NO_MUSIC),
        ({"voice_options": "voiceId = 1"}, "Choose the provider that these are for, or leave them out."),
        ({"voice_provider": "Google", "voice_options": "voiceId"}, "Write each as “name = value”, one on each line."),
        (
            {"voice_provider": "Google", "voice_style": "3"},
            "A provider's voice is chosen by what it needs to know. Leave the number at 0.",
        ),
        ({"language": "English"}, "Write the language with its country, such as en-GB or es-ES."),
    ],
)
def test_what_cannot_be_is_told_plainly(manager: Client, door: EntryPoint, changes: dict[str, Any], told: str) -> None:
    errors = saved(manager, door, **changes)
    assert told in [each.replace("’", "'") for each in errors]


def test_a_web_path_takes_no_text_messages(manager: Client) -> None:
    chat = rows.entry_point("chat", "/numbers")
    assert saved(manager, chat, takes_texts="on") == ["Only a phone number takes text messages, and this is a web path."]


def test_calls_are_spoken_in_the_voice_of_the_number(door: EntryPoint) -> None:
    """In the language spoken there; another language has the platform's usual voice."""
    EntryPoint.objects.filter(pk=door.pk).update(voice_style=3, voice_premium=True)
    door.refresh_from_db()
    call = rows.interaction(door=door)
    (said,) = ncco.talk("Hello.", language=call.language)
    assert (said["language"], said["style"], said["premium"]) == ("en-GB", 3, True)
    call.conversation.language = "es"
    (said,) = ncco.talk("Hola.", language=call.language)
    assert said == {"action": "talk", "text": "<speak>Hola.</speak>", "language": "es-ES", "bargeIn": False}


def test_a_number_outside_is_one_that_can_be_rung(manager: Client) -> None:
    there = "/admin/conversations/outsidenumber/add/"
    assert "costs whoever rings it" in manager.post(there, {"name": "Parts", "number": "+449098790000"}).content.decode()
    assert not OutsideNumber.objects.exists()
    manager.post(there, {"name": "Parts", "number": "+44 1632 960199", "active": "on"})
    assert OutsideNumber.objects.get().number == "+441632960199"
