"""How callers are listened to: the words that they may say, by the playbook, and how long a silence ends what they say."""

from collections.abc import Iterator
from typing import Any

import pytest

from conversations.models import Conversation, EntryPoint, Playbook
from routing.models import ReasonCode
from tests.voice.platform import Caller, post


def listened(ncco: list[dict[str, Any]]) -> dict[str, Any]:
    """How the answer to an NCCO is listened to, which is the same each time."""
    heard: list[dict[str, Any]] = [action["speech"] for action in ncco if action["action"] == "input"]
    assert {each["endOnSilence"] for each in heard} == {heard[0]["endOnSilence"]}
    return heard[0]


@pytest.fixture
def birds(caller: Caller, number: EntryPoint) -> Iterator[Caller]:
    """Somebody calls a number with a playbook of its own, which has a link."""
    parrots = ReasonCode.objects.create(code="parrots", name="Parrots")
    Playbook.objects.create(
        code="birds",
        status="published",
        name="Birds",
        persona="Kind.",
        disclosure="I am an AI.",
        languages=["en", "es"],
        translations={"es": {"disclosure": "Soy una IA.", "names": {"Parrots": "Loros"}}},
        links=[{"code": "pay", "label": "Pay an invoice", "address": "https://x.example/"}],
    )
    EntryPoint.objects.filter(pk=number.pk).update(playbook_code="birds")
    yield caller
    EntryPoint.objects.filter(pk=number.pk).update(playbook_code="harbor")
    parrots.delete()


def test_an_open_question_expects_the_words_of_the_playbook(birds: Caller, patient: None) -> None:
    """In the language of the call: what customers come about, the links, and the company's name."""
    heard = listened(post("/voice/answer/", birds.answer()).json())
    assert heard["endOnSilence"] == 1.2
    assert {"Harbor Home Services", "Parrots", "Pay an invoice"} <= set(heard["context"])
    heard = listened(post("/voice/input/", birds.keyed("2")).json())
    assert heard["language"] == "es-ES"
    assert "Loros" in heard["context"]
    assert "Parrots" not in heard["context"]


@pytest.mark.parametrize(
    ("state", "seconds", "has_hints"),
    [
        ({}, 1.2, True),
        ({"asked": "postcode", "step": "collect"}, 2.0, False),
        ({"asked": "phone", "step": "callback"}, 2.0, False),
        ({"asked": "", "step": "code"}, 2.0, False),
        ({"asked": "date", "step": "collect"}, 1.2, False),
    ],
)
def test_what_is_dictated_may_have_pauses(caller: Caller, state: dict[str, str], seconds: float, *, has_hints: bool) -> None:
    """A postcode or a phone number is not cut off between two groups."""
    post("/voice/answer/", caller.answer())
    Conversation.objects.filter(interactions__provider_id=caller.uuid).update(form_state=state)
    heard = listened(post("/voice/input/", caller.keyed("123456")).json())
    assert (heard["endOnSilence"], "context" in heard) == (seconds, has_hints)
