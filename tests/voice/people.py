"""A caller who asked for a person, and people whose phones may be rung for them: everything through the doors of the product."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from conversations.models import CallSeat, Interaction
from conversations.services import call_state
from routing.models import AgentProfile, Presence, Reservation
from tests.record import rows
from tests.support.locks import until
from tests.voice.platform import Caller, post, words_of
from tests.voice.rest_side import Platform
from tests.voice.test_calls import call_of

AGENTS_PHONE = "+441632960111"
BENS_PHONE = "+441632960112"
CLEOS_PHONE = "+441632960113"


def word_about(platform: Platform, leg: str, status: str, **more: Any) -> int:
    """The platform's word about a person's leg, at the door that it was given for it."""
    about = Caller(uuid=leg).event(status, direction="outbound", **more)
    return int(post(platform.doors[leg]["event"], about).status_code)


def press(platform: Platform, leg: str, digits: str | None) -> str:
    """A key is pressed on a person's leg, or none in time; what they hear."""
    answer = post(platform.doors[leg]["input"], Caller(uuid=leg).about() | {"dtmf": {"digits": digits, "timed_out": digits is None}})
    return words_of(answer.json())


@dataclass
class Line:
    """A call with people on it, and those who may be on it."""

    caller: Caller
    platform: Platform
    agents: dict[str, AgentProfile]
    browsers: dict[str, Client] = field(default_factory=dict)

    @property
    def legs(self) -> list[str]:
        """The legs of people's phones that the platform was asked for, in order."""
        return self.platform.rung

    @property
    def call(self) -> Interaction:
        return call_of(self.caller)

    @property
    def at(self) -> str:
        """Where the caller is to be."""
        return call_state.place_of(self.call).at

    def people(self) -> list[str]:
        """Who is on the call, or rung for it, by name."""
        return [seat.name for seat in CallSeat.objects.filter(state__in=CallSeat.LIVE_STATES).order_by("pk")]

    def client(self, name: str) -> Client:
        """Somebody's browser, signed in."""
        if name not in self.browsers:
            self.browsers[name] = Client()
            self.browsers[name].force_login(self.agents[name].user)
        return self.browsers[name]

    def supervisor(self) -> Client:
        client = Client()
        client.force_login(User.objects.get_or_create(username="kim", is_staff=True, is_superuser=True)[0])
        return client

    def page(self, action: str) -> str:
        return f"/inbox/c/{self.call.conversation.public_id}/{action}/"

    def accept(self, name: str) -> None:
        offer = Reservation.objects.get(state="pending")
        if offer.agent_id != self.agents[name].pk:
            self.client(offer.agent.display_name).post(f"/inbox/offers/{offer.pk}/decline/")
            offer = Reservation.objects.get(state="pending")
        assert self.client(name).post(f"/inbox/offers/{offer.pk}/accept/").status_code < 400

    def does(self, name: str, action: str, expected: int = 204, **fields: Any) -> str:
        """Somebody presses a button of the call panel; what they are told when it cannot be done."""
        answer = self.client(name).post(self.page(f"call/{action}"), fields)
        assert answer.status_code == expected, (answer.status_code, answer.content.decode()[:500])
        return str(answer.content.decode())

    def connects(self, name: str) -> None:
        assert self.client(name).post(self.page("connect")).status_code == 204

    def picks_up(self, name: str) -> None:
        """The phone rings, is picked up, and 1 is pressed."""
        self.connects(name)
        self.presses_one()

    def presses_one(self) -> None:
        """Whoever was rung last picks up and presses 1."""
        self.word("answered")
        assert "Connected" in press(self.platform, self.legs[-1], "1")

    def word(self, status: str, leg: str | None = None) -> None:
        """The platform's word about a leg, the last one when none is named."""
        assert word_about(self.platform, leg or self.legs[-1], status) == 204

    def caller_hangs_up(self) -> None:
        assert post("/voice/event/", self.caller.event("completed")).status_code == 204

    def goes_offline(self, name: str) -> None:
        assert self.client(name).post("/inbox/presence/", {"state": "offline"}).status_code < 400

    def loads(self) -> dict[str, int]:
        return dict(AgentProfile.objects.filter(pk__in=[agent.pk for agent in self.agents.values()]).values_list("display_name", "load"))


@contextmanager
def asking_for_a_person(caller: Caller, platform: Platform, **phones: str) -> Iterator[Line]:
    """A caller who asked for a person, with people who are there; no screen of theirs is open."""
    agents = [rows.agent(name, available=True, phone_number=number) for name, number in phones.items()]
    post("/voice/answer/", caller.answer())
    post("/voice/input/", caller.said("I want to talk to a person"))
    until(Reservation.objects.filter(state="pending").exists)
    yield Line(caller, platform, {agent.display_name: agent for agent in agents})
    AgentProfile.objects.filter(pk__in=[agent.pk for agent in agents]).update(active=False)
    Presence.objects.all().delete()
