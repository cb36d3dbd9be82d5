"""Whether a call is recorded: said or asked first, begun only then, ended when the caller no longer wants it. Through the webhooks."""

from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings as django_settings
from django.db import transaction
from django.test import Client

from conversations.models import Consent, Entry, EntryPoint, Interaction, Playbook
from conversations.services import ownership
from conversations.voice.simulator.checking import checked
from tests.record import rows
from tests.support import triggers
from tests.support.locks import until
from tests.voice.people import press
from tests.voice.platform import SAM, Caller, post, post_async, words_of
from tests.voice.rest_side import Platform
from tests.voice.test_calls import call_of

ANNOUNCEMENT = "This call is recorded"
QUESTION = "May we record this call"


def says(number: EntryPoint, policy: str, **changes: Any) -> None:
    EntryPoint.objects.filter(pk=number.pk).update(recording_policy=policy, **changes)


@triggers.ignored("conversations.Playbook:published_playbook_never_changes")
def speaks(languages: list[str]) -> None:
    Playbook.objects.filter(code="harbor").update(languages=languages)


@pytest.fixture(autouse=True)
def usual_policy(number: EntryPoint) -> Iterator[None]:
    yield
    says(number, "not_recorded", transcribes_recordings=False)
    speaks(["en"])


def actions(ncco: list[dict[str, Any]]) -> list[str]:
    return [action["action"] for action in checked(ncco)]


def kinds(caller: Caller) -> list[str]:
    found = Entry.objects.filter(interaction__provider_id=caller.uuid, kind__startswith="recording.")
    return list(found.order_by("seq").values_list("kind", flat=True))


def answers(caller: Caller) -> list[dict[str, Any]]:
    ncco: list[dict[str, Any]] = post("/voice/answer/", caller.answer()).json()
    return ncco


def given(caller: Caller, body: dict[str, Any]) -> list[dict[str, Any]]:
    ncco: list[dict[str, Any]] = post("/voice/input/", body).json()
    return ncco


def test_where_calls_are_not_recorded_nothing_is_said_of_it(caller: Caller) -> None:
    """No announcement, no action, no entry."""
    assert "record" not in actions(answers(caller))
    assert kinds(caller) == []


class TestAnnounced:
    @pytest.fixture(autouse=True)
    def announced(self, number: EntryPoint) -> None:
        says(number, "announce")

    def test_it_is_said_before_it_begins(self, caller: Caller) -> None:
        """The announcement may not be spoken over, the recording follows it, and then the call goes on as usual."""
        ncco = answers(caller)
        assert actions(ncco)[:3] == ["talk", "record", "talk"]
        assert ANNOUNCEMENT in ncco[0]["text"]
        assert ncco[0]["bargeIn"] is False
        assert ncco[1] == {
            "action": "record",
            "format": "mp3",
            "eventUrl": [f"{django_settings.PUBLIC_URL}/voice/recording/{call_of(caller).public_id}/"],
            "eventMethod": "POST",
        }
        assert kinds(caller) == ["recording.announced", "recording.began"]

    def test_it_begins_once(self, caller: Caller, patient: None) -> None:
        """What is said further in the same room is recorded already."""
        answers(caller)
        assert "record" not in actions(given(caller, caller.said("My boiler is cold")))
        assert kinds(caller) == ["recording.announced", "recording.began"]

    def test_asked_again_it_is_announced_again(self, caller: Caller) -> None:
        """The platform may not have got the first answer; the history tells of it once."""
        answers(caller)
        assert actions(answers(caller))[:2] == ["talk", "record"]
        assert kinds(caller) == ["recording.announced", "recording.began"]

    def test_who_objected_before_is_not_recorded(self, caller: Caller) -> None:
        """A no that was said of the number stands on the next call: neither announced nor begun."""
        answers(caller)
        customer = call_of(caller).conversation.customer
        Consent.objects.create(
            customer=customer, original_customer=customer, purpose="recording", kind="phone", value=f"+{SAM}", decision="refused",
            given_by="customer", assurance="network_hint", how="said", recorded_by="Harbor",
        )  # fmt: skip
        assert "record" not in actions(answers(Caller()))

    async def test_who_objects_is_moved_out_of_the_recorded_room(self, caller: Caller, platform: Platform, patient: None) -> None:
        """The leg waits a moment, the move carries no recording, the answer is heard there, and the history says that it ended."""
        await post_async("/voice/answer/", caller.answer())
        ncco = (await post_async("/voice/input/", caller.said("Please do not record me"))).json()
        assert actions(ncco)[0] == "wait"
        await until_async(lambda: platform.said_to(caller))
        moved = platform.nccos()[-1]
        assert "record" not in [action["action"] for action in moved]
        assert words_of(moved) == words_of(ncco)
        assert await Consent.objects.filter(purpose="recording", decision__in=["refused", "revoked"]).acount() == 1
        await until_async(lambda: kinds(caller) == ["recording.announced", "recording.began", "recording.ended"])
        ncco = (await post_async("/voice/input/", caller.said("My boiler is cold"))).json()
        assert "record" not in [action["action"] for action in ncco]

    async def test_a_move_that_fails_is_tried_again_with_the_next_words(self, caller: Caller, platform: Platform, patient: None) -> None:
        """Until then the call goes on, and is taken for recorded."""
        await post_async("/voice/answer/", caller.answer())
        answer, platform.answer = platform.answer, lambda *asked: (500, {})  # type: ignore[method-assign]
        await post_async("/voice/input/", caller.said("Stop recording"))
        assert (await Interaction.objects.aget(provider_id=caller.uuid)).data["recording"]["on"] is True
        platform.answer = answer  # type: ignore[method-assign]
        await post_async("/voice/input/", caller.said("My boiler is cold"))
        await until_async(lambda: "recording.ended" in kinds(caller))

    def test_an_agent_writes_down_an_objection(self, caller: Caller, platform: Platform) -> None:
        """What is told to a person on another line ends the recording of the call at once."""
        answers(caller)
        call = call_of(caller)
        agent = rows.agent("Ann")
        with transaction.atomic():
            ownership.give_to_human(call.conversation, agent)
        client = Client()
        client.force_login(agent.user)
        scope = {"decision": "refused", "how": "said", "scope": "  ", "line": ""}
        answer = client.post(f"/inbox/c/{call.conversation.public_id}/consent/recording/", scope)
        assert answer.status_code < 400, answer.content
        assert "record" not in [action["action"] for action in platform.nccos()[-1]]
        assert "not recorded any more" in platform.said_to(caller)[-1]
        assert kinds(caller)[-1] == "recording.ended"

    def test_where_people_talk_each_side_has_a_channel(self, caller: Caller, platform: Platform, number: EntryPoint) -> None:
        """The move into the room begins a recording of its own, written down where the entry point says so, not announced again.

        Music until the phone is picked up is not recorded.
        """
        says(number, "announce", transcribes_recordings=True)
        answers(caller)
        agent = rows.agent("Ann", phone_number="+441632960111")
        with transaction.atomic():
            ownership.give_to_human(call_of(caller).conversation, agent)
        client = Client()
        client.force_login(agent.user)
        assert client.post(f"/inbox/c/{call_of(caller).conversation.public_id}/connect/").status_code == 204
        assert kinds(caller)[-1] == "recording.ended"
        assert "Connected" in press(platform, platform.rung[-1], "1")
        first, *_rest, last = platform.told(caller.uuid)[-1]
        assert (first["action"], first["split"], first["channels"]) == ("record", "conversation", 2)
        assert first["transcription"]["language"] == "en-GB"
        assert last["action"] == "conversation"
        assert kinds(caller) == ["recording.announced", "recording.began", "recording.ended", "recording.began"]


class TestAsked:
    @pytest.fixture(autouse=True)
    def asked(self, number: EntryPoint) -> None:
        says(number, "ask_first")

    def test_it_is_asked_before_everything_else(self, caller: Caller) -> None:
        """Nothing is recorded until there is a yes."""
        ncco = answers(caller)
        assert QUESTION in words_of(ncco)
        assert "how I can help" not in words_of(ncco)
        assert "record" not in actions(ncco)
        assert kinds(caller) == ["recording.asked"]

    @pytest.mark.parametrize("how", ["said", "keyed"])
    def test_a_yes_is_kept_and_begins_it(self, caller: Caller, how: str) -> None:
        """With the words that were asked, when, how and on which line; then the greeting follows, recorded."""
        answers(caller)
        ncco = given(caller, caller.said("Yes, please") if how == "said" else caller.keyed("1"))
        assert actions(ncco)[0] == "record"
        assert "how I can help" in words_of(ncco)
        row = Consent.objects.get()
        assert (row.purpose, row.decision, row.how, row.given_by) == ("recording", "given", how, "customer")
        assert row.interaction == call_of(caller)
        assert row.wording.startswith(QUESTION)
        assert kinds(caller) == ["recording.asked", "recording.began"]
        assert "record" not in actions(given(caller, caller.silent()))

    @pytest.mark.parametrize("how", ["said", "keyed"])
    def test_a_no_is_kept_and_nothing_is_recorded(self, caller: Caller, how: str, patient: None) -> None:
        """Not in any answer of the call."""
        answers(caller)
        ncco = given(caller, caller.said("No, I'd rather not") if how == "said" else caller.keyed("2"))
        assert "not recorded" in words_of(ncco)
        assert "how I can help" in words_of(ncco)
        heard = [ncco, given(caller, caller.said("My boiler is cold")), given(caller, caller.silent())]
        assert all("record" not in actions(each) for each in heard)
        assert (Consent.objects.get().decision, Consent.objects.get().how) == ("refused", how)
        assert kinds(caller) == ["recording.asked"]

    def test_silence_is_no_yes(self, caller: Caller, patient: None) -> None:
        """The call goes on unrecorded, and nobody is said to have refused."""
        answers(caller)
        heard = [given(caller, caller.silent()), given(caller, caller.said("My boiler is cold"))]
        assert "how I can help" in words_of(heard[0])
        assert all("record" not in actions(each) for each in heard)
        assert not Consent.objects.exists()
        assert kinds(caller) == ["recording.asked", "recording.not_agreed"]

    @pytest.mark.parametrize("words", ["OK my boiler is broken", "right, I need an engineer", "no hot water since this morning"])
    def test_other_words_are_no_yes_and_are_answered(self, caller: Caller, words: str, patient: None) -> None:
        """Who begins with what it is about need not say it again."""
        answers(caller)
        ncco = given(caller, caller.said(words))
        assert "record" not in actions(ncco)
        assert not Consent.objects.exists()
        assert Entry.objects.filter(kind="message", actor_kind="customer", body__icontains=words.rsplit(maxsplit=1)[-1]).exists()
        assert call_of(caller).conversation.turn_wanted_seq > 0

    def test_the_answer_of_a_webhook_that_comes_twice_counts_once(self, caller: Caller) -> None:
        """Another token, the same words."""
        answers(caller)
        body = caller.said("Yes")
        given(caller, body)
        given(caller, body)
        assert Consent.objects.count() == 1
        assert kinds(caller) == ["recording.asked", "recording.began"]

    def test_in_spanish_it_is_asked_in_spanish(self, caller: Caller, patient: None) -> None:
        """Who goes on in another language is asked in that language, and may refuse in it."""
        speaks(["en", "es"])
        answers(caller)
        ncco = given(caller, caller.keyed("2"))
        assert "¿Podemos grabar esta llamada" in words_of(ncco)
        assert kinds(caller) == ["recording.asked", "recording.not_agreed", "recording.asked"]
        ncco = given(caller, caller.said("Prefiero que no, gracias"))
        assert "record" not in actions(ncco)
        row = Consent.objects.get()
        assert (row.decision, row.wording[:9]) == ("refused", "¿Podemos ")

    def test_in_spanish_a_yes_begins_it(self, caller: Caller, patient: None) -> None:
        speaks(["en", "es"])
        answers(caller)
        given(caller, caller.keyed("2"))
        assert actions(given(caller, caller.said("Sí, de acuerdo")))[0] == "record"
        assert Consent.objects.get().decision == "given"


async def until_async(condition: Any) -> None:
    """Waits for something that another thread or task does."""
    await sync_to_async(until)(condition)
