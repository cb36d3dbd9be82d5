"""What somebody does with a call that they are on: hold, mute, park, leave, end it, pass it on. Through the inbox and the webhooks."""

import pytest

from conversations import tasks
from conversations.models import CallSeat, Conversation, Entry, Interaction, OutsideNumber
from conversations.services import call_state
from routing import tasks as routing_tasks
from routing.models import AgentProfile, Presence, Queue, Reservation, WorkItem
from tests.voice.people import Line, press
from tests.voice.platform import post

MUSIC = "/static/voice/waiting"


@pytest.fixture
def talk(line: Line) -> Line:
    """Ann has the caller on her phone; Ben is there."""
    line.accept("Ann")
    line.picks_up("Ann")
    return line


def music_of(line: Line) -> bool:
    """Whether the last that the caller's leg was told is to hear music for as long as it takes."""
    last = line.platform.told(line.caller.uuid)[-1][-1]
    return last["action"] == "stream" and last["loop"] == 0 and MUSIC in last["streamUrl"][0]


def room_of(line: Line, leg: str | None = None) -> str:
    """The room that a leg was told to go into last, the caller's when none is named."""
    last = line.platform.told(leg or line.caller.uuid)[-1][-1]
    return str(last.get("name", ""))


def entries(*kinds: str) -> list[str]:
    return list(Entry.objects.filter(kind__in=kinds).order_by("pk").values_list("body", flat=True))


def outcome_of(name: str) -> str:
    return str(CallSeat.objects.filter(name=name).latest("pk").outcome)


class TestHolding:
    def test_the_caller_hears_music_and_comes_back(self, talk: Line) -> None:
        assert room_of(talk) == f"call-{talk.call.public_id.hex}"
        talk.does("Ann", "hold")
        assert (music_of(talk), talk.at) == (True, "hold")
        talk.does("Ann", "hold")
        talk.does("Ann", "resume")
        assert (room_of(talk), talk.at) == (f"call-{talk.call.public_id.hex}", "room")
        assert entries("call.held", "call.resumed") == ["Ann put the caller on hold.", "Ann took the caller back from hold."]

    @pytest.mark.parametrize("code", [404, 500, 503])
    def test_a_platform_that_does_not_do_it_leaves_the_caller_where_they_were(self, talk: Line, code: int) -> None:
        """The agent is told; after 404 the caller is taken for gone, and nobody's leg is left."""
        talk.platform.changes_answer = code
        sentence = talk.does("Ann", "hold", 409)
        talk.platform.changes_answer = 204
        if code == 404:
            assert sentence == "The caller has hung up."
            assert talk.people() == []
        else:
            assert sentence == "The phone platform did not do it. Try again in a moment."
            assert talk.at == "room"
            tasks.end_lost_legs()
            assert room_of(talk), "the sweep has the platform do what the record says"

    def test_muting(self, talk: Line) -> None:
        talk.does("Ann", "mute")
        assert CallSeat.objects.get(name="Ann").muted
        talk.does("Ann", "unmute")
        asked = [body["action"] for _method, path, body in talk.platform.requests if path.endswith(talk.legs[-1]) and body]
        assert asked == ["mute", "unmute"]
        talk.platform.changes_answer = 503
        talk.does("Ann", "mute", 409)
        assert not CallSeat.objects.get(name="Ann").muted


class TestParking:
    def test_the_work_waits_at_its_place_and_the_caller_with_music(self, talk: Line) -> None:
        """Somebody else takes it; so may whoever parked it."""
        before = WorkItem.objects.get()
        talk.goes_offline("Ben")
        talk.does("Ann", "park")
        work = WorkItem.objects.get()
        assert (work.state, work.enqueued_at, talk.at, music_of(talk)) == ("queued", before.enqueued_at, "parked", True)
        assert talk.platform.ended() == [talk.legs[-1]]
        assert talk.call.conversation.owner_kind == "assistant"
        assert talk.loads() == {"Ann": 0, "Ben": 0}
        assert talk.client("Ann").post(talk.page("take-over")).status_code < 400
        talk.picks_up("Ann")
        assert (talk.at, talk.people()) == ("room", ["Ann"])

    @pytest.mark.parametrize(("language", "heard"), [("en", "Thank you for waiting."), ("es", "Gracias por esperar.")])
    def test_the_caller_hears_each_minute_how_it_stands(self, talk: Line, language: str, heard: str) -> None:
        """In their language, once a minute, and then the music again."""
        talk.goes_offline("Ben")
        Conversation.objects.filter(pk=talk.call.conversation_id).update(language=language)
        talk.does("Ann", "park")
        tasks.end_lost_legs()
        before = len(talk.platform.said_to(talk.caller))
        for minute in (1, 2):
            row = talk.call
            row.data["caller"]["since"] -= 61
            row.data["parked_told_at"] = row.data.get("parked_told_at", 0) - 61
            Interaction.objects.filter(pk=row.pk).update(data=row.data)
            for _sweep in range(2):
                tasks.end_lost_legs()
            said = talk.platform.said_to(talk.caller)[before:]
            assert len(said) == minute
            assert said[-1].startswith(heard)
            assert (talk.at, music_of(talk)) == ("parked", True)

    def test_nobody_is_parked_for_ever(self, talk: Line) -> None:
        talk.goes_offline("Ben")
        talk.does("Ann", "park")
        row = talk.call
        row.data["caller"]["since"] -= 700
        Interaction.objects.filter(pk=row.pk).update(data=row.data)
        tasks.end_lost_legs()
        assert talk.at == "voice"
        assert "still in the line" in talk.platform.said_to(talk.caller)[-1]


class TestLeaving:
    def test_the_automated_voice_takes_the_caller_back(self, talk: Line) -> None:
        talk.does("Ann", "leave")
        assert talk.platform.said_to(talk.caller)[-1] == "Ann has left the call. Is there anything else? Please tell me."
        assert talk.platform.ended() == [talk.legs[-1]]
        assert (talk.at, outcome_of("Ann")) == ("voice", "left")
        talk.word("completed")
        assert talk.platform.said_to(talk.caller)[-1].startswith("Ann has left the call.")

    def test_the_ai_agent_gets_it_back(self, talk: Line) -> None:
        """The work is done, and what the caller says is answered by the AI agent again."""
        talk.does("Ann", "give-back")
        assert talk.platform.said_to(talk.caller)[-1] == "Is there anything else? Please tell me."
        assert (WorkItem.objects.get().state, talk.call.conversation.owner_kind) == ("completed", "assistant")
        assert talk.people() == []

    def test_the_call_is_ended_for_everybody(self, talk: Line) -> None:
        talk.does("Ann", "hang-up")
        assert talk.platform.ended() == [talk.caller.uuid]
        talk.caller_hangs_up()
        assert talk.platform.ended() == [talk.caller.uuid, talk.legs[-1]]
        assert (talk.people(), WorkItem.objects.get().state) == ([], "wrapping")


class TestWhoMay:
    @pytest.mark.parametrize(
        "action", ["hold", "resume", "mute", "unmute", "leave", "park", "hang-up", "give-back", "complete", "bring-in", "cancel"]
    )
    def test_who_is_not_on_the_call_controls_nothing_of_it(self, talk: Line, action: str) -> None:
        asked = len(talk.platform.requests)
        sentence = talk.does("Ben", action, 409)
        assert sentence in ("You are not on this call.", "This conversation is with Ann. Take it over to answer.")
        assert len(talk.platform.requests) == asked
        assert (talk.people(), talk.at) == (["Ann"], "room")

    def test_nobody_else_adds_or_removes_people(self, talk: Line) -> None:
        outside = OutsideNumber.objects.create(name="Parts", number="+441632960199")
        talk.does("Ben", "somebody", 409, who=f"outside:{outside.pk}", how="consult")
        talk.does("Ann", "somebody", who=f"agent:{talk.agents['Ben'].pk}", how="add")
        seat = CallSeat.objects.get(name="Ben")
        talk.does("Ben", f"remove/{seat.public_id}", 409)
        assert talk.people() == ["Ann", "Ben"]

    def test_an_unknown_action_is_not_there(self, talk: Line) -> None:
        talk.does("Ann", "explode", 404)


class TestOffers:
    """An offer that the agent's own phone is rung for."""

    def rings(self, line: Line, name: str = "Ann") -> Reservation:
        offer = Reservation.objects.get(state="pending")
        if offer.agent_id != line.agents[name].pk:
            line.client(offer.agent.display_name).post(f"/inbox/offers/{offer.pk}/decline/")
            offer = Reservation.objects.get(state="pending")
        answer = line.client(name).post(f"/inbox/offers/{offer.pk}/phone/")
        assert (answer.status_code, answer["X-Open"]) == (204, f"/inbox/c/{Conversation.objects.get().public_id}/")
        return offer

    def test_the_key_accepts_it(self, line: Line) -> None:
        """Told what it is about and who calls; until the key the caller stays with the voice, then comes to the person."""
        offer = self.rings(line)
        briefing = line.platform.nccos()[-1]
        words = " ".join(action.get("text", "") for action in briefing)
        assert "The caller is waiting." in words
        assert "In their words" in words
        assert "Press 1 to be connected, or 2 to decline." in words
        assert line.at == "voice"
        line.presses_one()
        offer.refresh_from_db()
        assert (offer.state, line.at, line.people()) == ("accepted", "room", ["Ann"])
        assert line.call.conversation.owner_agent == line.agents["Ann"]
        line.does("Ann", "leave")
        said = line.platform.said_to(line.caller)
        assert not any("has joined and will answer" in words for words in said), "they talked: it is no news"

    @pytest.mark.parametrize(
        ("what", "outcome"),
        [
            ("key", "declined"), ("completed", "declined"), ("rejected", "declined"), ("busy", "busy"), ("timeout", "no_answer"),
            ("unanswered", "no_answer"), ("failed", "failed"), ("machine", "machine"), ("no key", "machine"),
        ],
    )  # fmt: skip
    def test_a_phone_that_is_not_taken_lets_the_next_agent_have_it(self, line: Line, what: str, outcome: str) -> None:
        """Each with its outcome and an entry for staff; the caller notices nothing."""
        offer, told = self.rings(line), len(line.platform.told(line.caller.uuid))
        if what in ("key", "no key"):
            line.word("answered")
            assert "not connected" in press(line.platform, line.legs[-1], "2" if what == "key" else None)
        else:
            line.word(what)
        offer.refresh_from_db()
        assert (offer.state, outcome_of("Ann")) == ("rejected", outcome)
        entry = Entry.objects.get(kind="call.not_connected")
        assert (entry.audience, entry.data["outcome"]) == ("staff", outcome)
        assert Reservation.objects.get(state="pending").agent == line.agents["Ben"]
        assert (len(line.platform.told(line.caller.uuid)), line.at) == (told, "voice")

    @pytest.mark.parametrize("how", ["taken back", "given to Ben", "declined on the screen", "taken by Ben", "run out"])
    def test_an_offer_that_ends_stops_the_ringing(self, line: Line, how: str) -> None:
        """The phone is hung up at once, its press accepts nothing, and the caller stays with the voice."""
        offer = self.rings(line)
        work, ben = WorkItem.objects.get(), line.agents["Ben"]
        if how == "taken back":
            line.goes_offline("Ben")
            answer = line.supervisor().post(f"/inbox/board/work/{work.pk}/take-back/", {"seen_with": offer.agent_id})
        elif how == "given to Ben":
            answer = line.supervisor().post(f"/inbox/board/work/{work.pk}/give/", {"agent": ben.pk, "seen_with": offer.agent_id})
        elif how == "declined on the screen":
            answer = line.client("Ann").post(f"/inbox/offers/{offer.pk}/decline/")
        elif how == "taken by Ben":
            answer = line.client("Ben").post(line.page("take-over"))
        else:
            Reservation.objects.filter(pk=offer.pk).update(expires_at=offer.offered_at)
            routing_tasks.expire_offers()
        if how != "run out":
            assert answer.status_code == 204, answer.content
        assert (line.platform.ended(), line.people(), line.at) == (line.legs, [], "voice")
        assert "not connected" in press(line.platform, line.legs[-1], "1")
        line.word("completed")
        assert entries("call.not_connected") == ["Ann’s phone is rung no longer."]
        assert line.loads()["Ann"] == 0

    def test_a_caller_who_hangs_up_while_it_rings_frees_the_offer_at_once(self, line: Line) -> None:
        """The phone is hung up, and the agent's capacity is theirs again; a press that comes late accepts nothing."""
        offer = self.rings(line)
        AgentProfile.objects.filter(pk__in=[each.pk for each in line.agents.values()]).update(active=False)
        line.caller_hangs_up()
        offer.refresh_from_db()
        assert (offer.state, line.platform.ended(), line.people()) == ("rescinded", line.legs, [])
        assert WorkItem.objects.get().state == "queued"
        assert line.loads() == {"Ann": 0, "Ben": 0}
        assert "hung up" in press(line.platform, line.legs[-1], "1")
        line.word("completed")
        assert (line.platform.ended(), Entry.objects.filter(kind="call.not_connected").count()) == (line.legs, 1)

    def test_a_phone_that_cannot_be_rung_leaves_the_offer_as_long_as_it_was(self, line: Line) -> None:
        """The place on the call is taken: the offer runs out when it would have."""
        offer = Reservation.objects.get(state="pending")
        AgentProfile.objects.filter(pk=offer.agent_id).update(phone_number="")
        try:
            assert line.client(offer.agent.display_name).post(f"/inbox/offers/{offer.pk}/phone/").status_code == 409
            assert Reservation.objects.get(pk=offer.pk).expires_at == offer.expires_at
        finally:
            AgentProfile.objects.filter(pk=offer.agent_id).update(phone_number=offer.agent.phone_number)

    def test_somebody_elses_offer_rings_no_phone(self, line: Line) -> None:
        offer = Reservation.objects.get(state="pending")
        other = next(name for name, agent in line.agents.items() if agent.pk != offer.agent_id)
        assert line.client(other).post(f"/inbox/offers/{offer.pk}/phone/").status_code == 409
        assert line.platform.dialled() == 0

    def test_a_sip_phone_is_rung(self, line: Line) -> None:
        ann = line.agents["Ann"]
        ann.sip_address = "sip:ann@pbx.example.com"
        ann.full_clean()
        ann.save(update_fields=["sip_address"])
        self.rings(line)
        rung = next(body for _method, path, body in line.platform.requests if path.endswith("/v1/calls"))
        assert rung["to"] == [{"type": "sip", "uri": "sip:ann@pbx.example.com"}]


class TestPassingOn:
    def test_to_a_colleague_to_whom_it_is_offered(self, talk: Line) -> None:
        answer = talk.client("Ann").post(talk.page("transfer"), {"agent": talk.agents["Ben"].pk, "note": "About a bill."})
        assert answer.status_code == 204, answer.content
        assert Reservation.objects.get(state="pending").agent == talk.agents["Ben"]
        assert talk.platform.ended() == [talk.legs[-1]]
        assert talk.platform.said_to(talk.caller)[-1].startswith("Ann is not on the call any more.")
        talk.accept("Ben")
        talk.picks_up("Ben")
        assert talk.loads() == {"Ann": 0, "Ben": 6}

    def test_a_queue_or_a_colleague_and_not_both(self, talk: Line) -> None:
        queue, ben = Queue.objects.get(code="service").pk, talk.agents["Ben"].pk
        for fields in ({"note": "x"}, {"note": "x", "queue": queue, "agent": ben}):
            assert talk.client("Ann").post(talk.page("transfer"), fields).status_code == 422
        Presence.objects.filter(agent=ben).update(state="offline")
        assert talk.client("Ann").post(talk.page("transfer"), {"note": "x", "agent": ben}).status_code == 422

    def test_to_a_number_outside(self, talk: Line) -> None:
        """The agent leaves as it rings; who answers there has the caller, and when they hang up the voice takes the caller back."""
        parts = OutsideNumber.objects.create(name="our parts supplier", number="+441632960199")
        talk.does("Ann", "somebody", who=f"outside:{parts.pk}", how="put_through")
        assert talk.platform.ended() == [talk.legs[0]]
        assert (talk.at, talk.people(), music_of(talk)) == ("waiting", ["our parts supplier"], True)
        assert "putting you through to our parts supplier" in talk.platform.said_to(talk.caller)[-1]
        talk.word("answered")
        assert (talk.at, room_of(talk)) == ("room", f"call-{talk.call.public_id.hex}")
        talk.word("completed")
        assert talk.at == "voice"
        assert talk.platform.said_to(talk.caller)[-1].startswith("our parts supplier has left the call.")

    @pytest.mark.parametrize("status", ["busy", "timeout", "failed", "rejected"])
    def test_a_number_outside_that_does_not_answer(self, talk: Line, status: str) -> None:
        parts = OutsideNumber.objects.create(name="Parts", number="+441632960199")
        talk.does("Ann", "somebody", who=f"outside:{parts.pk}", how="put_through")
        talk.word(status)
        assert talk.at == "voice"
        assert talk.platform.said_to(talk.caller)[-1].startswith("Parts cannot be reached")

    def test_a_number_outside_that_cannot_be_rung_keeps_the_agent_with_the_caller(self, talk: Line) -> None:
        parts = OutsideNumber.objects.create(name="Parts", number="+441632960199")
        talk.platform.code = 400
        talk.does("Ann", "somebody", 409, who=f"outside:{parts.pk}", how="put_through")
        assert (talk.at, talk.people(), talk.platform.ended()) == ("room", ["Ann"], [])

    def test_a_number_that_managers_took_away_is_not_rung(self, talk: Line) -> None:
        parts = OutsideNumber.objects.create(name="Parts", number="+441632960199", active=False)
        talk.does("Ann", "somebody", 422, who=f"outside:{parts.pk}", how="consult")
        assert talk.platform.dialled() == 1


def test_webhooks_of_one_call_say_nothing_about_another(talk: Line) -> None:
    """An address of this call with another one's person, or another leg, changes nothing."""
    seat = CallSeat.objects.get(name="Ann")
    other = Line(type(talk.caller)(number="447700900777"), talk.platform, talk.agents)
    post("/voice/answer/", other.caller.answer())
    about = type(talk.caller)(uuid=talk.legs[-1]).event("completed", direction="outbound")
    assert post(f"/voice/agent/{other.call.public_id}/{seat.public_id}/event/", about).status_code == 204
    assert talk.people() == ["Ann"]
    stranger = type(talk.caller)().event("completed", direction="outbound")
    assert post(f"/voice/agent/{talk.call.public_id}/{seat.public_id}/event/", stranger).status_code == 204
    assert (talk.people(), talk.at) == (["Ann"], "room")
    assert call_state.place_of(other.call).at == "voice"
