"""A campaign over real HTTP, with the simulator's phones: a person, a machine, nobody, busy, and two who want no more calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from conversations.flows import campaigning
from conversations.models import Campaign, Consent, Customer, DialAttempt, Entry, EntryPoint, Interaction
from conversations.services import campaigns
from tests.outbound import campaigns as made
from tests.outbound.calling import open_hours
from tests.support.emptying.rows import empty
from tests.support.processes import WebProcess, running_web
from tests.voice.test_simulator import Phone, eventually

pytestmark = pytest.mark.two_processes


@pytest.fixture(scope="module")
def web(company: None, django_db_blocker: Any) -> Iterator[WebProcess]:
    with django_db_blocker.unblock(), running_web(1) as processes:
        yield processes[0]


@pytest.fixture
def server(web: WebProcess, number: EntryPoint, settings: Any) -> Iterator[WebProcess]:
    settings.PORT = web.port
    settings.PUBLIC_URL = web.url
    settings.OUTBOUND_CALLS_PER_SECOND = 3
    open_hours()
    yield web
    empty("conversations_audience", "conversations_technician")


def rings(server: WebProcess, customer: Customer) -> Phone:
    """The customer's phone, which the campaign has rung."""
    provider_id = Interaction.objects.get(direction="outbound", conversation__customer=customer).provider_id
    return Phone(server.url, leg=provider_id)


def outcome_of(customer: Customer) -> str:
    return DialAttempt.objects.get(customer=customer).outcome


def test_everybody_gets_the_end_that_is_theirs(server: WebProcess) -> None:
    names = ("Person", "Machine", "Busy", "Declines", "Nobody", "Says No", "Presses Nine")
    everybody = {name: made.somebody_with_a_visit(name)[0] for name in names}
    campaign = made.campaign(at_once=20, calls_per_second=30)
    eventually(lambda: campaigning.run(seconds=0) >= 0 and DialAttempt.objects.filter(dialled_at__isnull=False).count() == len(names))
    phones = {name: rings(server, customer) for name, customer in everybody.items()}

    phones["Busy"].do("busy")
    phones["Declines"].do("decline")
    phones["Machine"].do("machine")
    for name in ("Person", "Says No", "Presses Nine"):
        phones[name].do("answer")
        phones[name].until_heard("I am an AI")
        assert "Am I speaking with" in phones[name].heard()[0]
    phones["Says No"].do("say", text="please do not call me again")
    phones["Presses Nine"].do("key", digit="9")
    phones["Presses Nine"].do("key", digit="#")
    phones["Person"].do("say", text="yes, speaking")
    phones["Person"].until_heard("show me my account")
    phones["Person"].do("hang_up")
    for name in ("Says No", "Presses Nine"):
        phones[name].until_heard("We will not call you on this number again")
        phones[name].until_over()
    at_the_machine = Interaction.objects.filter(conversation__customer=everybody["Machine"], data__campaign_stage="machine")
    eventually(at_the_machine.exists)
    phones["Machine"].until(lambda state: state["doing"] == "listening")
    phones["Machine"].do("machine")
    phones["Machine"].until_heard("with a message for Machine")
    phones["Machine"].until_over()
    phones["Nobody"].until_over()

    wanted = {
        "Person": "reached", "Machine": "message_left", "Busy": "busy", "Declines": "declined", "Nobody": "no_answer",
        "Says No": "opted_out", "Presses Nine": "opted_out",
    }  # fmt: skip
    eventually(lambda: {name: outcome_of(customer) for name, customer in everybody.items()} == wanted)
    campaigning.look_after()
    counted = campaigns.progress(campaign)
    assert counted == {"reached": 1, "message_left": 1, "opted_out": 2, "waiting": 3}
    noes = Consent.objects.exclude(decision="given").values_list("customer__name", flat=True)
    assert sorted(noes) == ["Presses Nine", "Says No"]
    assert not Entry.objects.filter(body__contains="Boiler").exclude(kind__startswith="booking").filter(audience="everyone").exists()


def test_a_pause_in_the_middle_lets_calls_go_on_and_begins_none(server: WebProcess) -> None:
    first = made.somebody_with_a_visit("First")[0]
    campaign = made.campaign(calls_per_second=30)
    assert campaigning.call_next(campaign)
    phone = rings(server, first)
    phone.do("answer")
    phone.until_heard("I am an AI")
    second = made.somebody_with_a_visit("Second")[0]
    assert campaigns.begin_round(campaign.pk) == 1
    campaigns.pause(campaign)
    assert campaigning.run(seconds=0) == 0
    phone.do("say", text="yes")
    phone.until_heard("show me my account")
    phone.do("hang_up")
    phone.until_over()
    eventually(lambda: outcome_of(first) == "reached")
    assert not DialAttempt.objects.filter(customer=second).exists()
    campaigns.start(Campaign.objects.get(pk=campaign.pk), by="Ann")
    eventually(lambda: campaigning.call_next(campaign))
    rings(server, second).do("decline")
    eventually(lambda: outcome_of(second) == "declined")
