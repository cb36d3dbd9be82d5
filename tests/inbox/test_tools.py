"""Agents use the AI agent's tools, through HTTP: in their own conversations, each effect once, with their name in the history."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations.flows import keeping_promises, takeover
from conversations.knowledge.ingest import ingest
from conversations.models import (
    ActionItem,
    Booking,
    Consent,
    Conversation,
    Entry,
    Handoff,
    Identifier,
    Invoice,
    KnowledgeArticle,
    PaymentPromise,
    Playbook,
    PriceListItem,
    SalesAccount,
    SalesOrder,
    SentLink,
    Technician,
    Ticket,
)
from conversations.selectors.invariants import call_backs_in_limbo
from conversations.services import callbacks, consent, facts, identity, messengers, promises, timeline
from conversations.services.parties import IdentifierClaim
from conversations.services.timeline import NewEntry
from routing.models import ReasonCode, ServiceHours
from tests.inbox.conftest import Cast

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS = "maria@example.org"


@pytest.fixture(autouse=True)
def no_texts() -> Iterator[None]:
    before = list(messengers._text_senders)
    messengers._text_senders.clear()
    yield
    messengers._text_senders[:] = before


@pytest.fixture
def taken(live_cast: Cast) -> Conversation:
    """A chat that Ann has, whose customer has an account with the sales system by an address that was proven before."""
    conversation = live_cast.chat()
    with transaction.atomic():
        identity.remember(conversation.customer, IdentifierClaim("email", ADDRESS, "verified"), source="import")
    account = SalesAccount.objects.create(number="harborhome:7", email=ADDRESS)
    today = timezone.localdate()
    SalesOrder.objects.create(account=account, reference="HH-R7T2KD", what="Radiator valves", ordered_on=today, total=38)
    Invoice.objects.create(
        account=account, reference="HH-Q3W8NF", what="Boiler service", issued_on=today, due_on=today, total=85, left_to_pay=85
    )
    takeover.take_over(conversation, live_cast.ann)
    conversation.refresh_from_db()
    return conversation


def address_of(conversation: Conversation, tool: str = "") -> str:
    return reverse("inbox:tool", args=[conversation.public_id, tool]) if tool else reverse("inbox:tools", args=[conversation.public_id])


def use(browser: Client, conversation: Conversation, tool: str, **fields: Any) -> tuple[int, str]:
    answer = browser.post(address_of(conversation, tool), {"client_id": str(uuid.uuid4()), **fields})
    return answer.status_code, answer.content.decode()


def test_only_who_has_the_conversation_uses_tools(live_cast: Cast, taken: Conversation) -> None:
    """The list, the form and the deed: a colleague is told whose it is, others do not come in, nothing is done; nor without the token."""
    fields = {"client_id": str(uuid.uuid4()), "subject": "Look into it"}
    for path in (address_of(taken), address_of(taken, "open_ticket")):
        for who, status in ((live_cast.ben, 409), (live_cast.manager, 404), (live_cast.stranger, 404), (None, 302)):
            browser = live_cast.client(who)
            assert browser.get(path).status_code == status, path
            if path != address_of(taken):
                assert browser.post(path, fields).status_code == status
    assert "Take it over" in live_cast.client(live_cast.ben).get(address_of(taken)).content.decode()
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(live_cast.ann.user)
    assert careful.post(address_of(taken, "open_ticket"), fields).status_code == 403
    assert not Ticket.objects.exists()
    ann = live_cast.client(live_cast.ann)
    page = ann.get(address_of(taken)).content.decode()
    assert "Open a ticket" in page
    assert "Look up orders" in page
    assert "Move a visit" not in page, "there is no visit to move"
    assert "Send a link" not in page, "no playbook names one"
    for name in ("verify_identity", "reschedule", "no_such_tool"):
        assert ann.get(address_of(taken, name)).status_code == 404


def test_a_deed_is_done_once_and_told_with_its_name(live_cast: Cast, taken: Conversation) -> None:
    """The form says what is missing; the same form sent twice opens one ticket; the history says who did it."""
    ann = live_cast.client(live_cast.ann)
    page = ann.get(address_of(taken, "open_ticket")).content.decode()
    assert 'name="subject"' in page
    assert use(ann, taken, "open_ticket")[0] == 422
    fields = {"client_id": str(uuid.uuid4()), "subject": "Meter reading is wrong", "details": "Since the last visit."}
    answers = [use(ann, taken, "open_ticket", **fields) for _twice in range(2)]
    ticket = Ticket.objects.get()
    assert [status for status, _page in answers] == [200, 200]
    assert all(ticket.reference in page for _status, page in answers)
    called = Entry.objects.get(conversation=taken, kind="tool.called")
    assert (called.actor_kind, called.actor_name, called.data["tool"]) == ("agent", live_cast.ann.display_name, "open_ticket")
    assert Entry.objects.get(kind="ticket.opened").actor_kind == "agent"
    assert (ticket.customer, ticket.conversation) == (taken.customer.public_id, taken.public_id)


def test_looking_up_says_what_may_be_read_out(live_cast: Cast, taken: Conversation) -> None:
    """An agent sees the record's orders and invoices, with a warning while the party has proven nothing."""
    ann = live_cast.client(live_cast.ann)
    status, page = use(ann, taken, "find_orders")
    assert (status, "HH-R7T2KD" in page, "Placed" in page) == (200, True, True)
    assert "has not proven to be the customer" in page
    assert "85.00" in use(ann, taken, "find_invoices", reference="HH-Q3W8NF")[1]
    Identifier.objects.filter(value=ADDRESS).update(assurance="claimed")
    assert "HH-R7T2KD" not in use(ann, taken, "find_orders")[1], "an address that was only claimed opens nobody's account"


def test_every_other_deed(live_cast: Cast, taken: Conversation) -> None:
    """A promise, a call back, a detail, a reason, a thing to do, a link: each from its form, each in the history."""
    ann = live_cast.client(live_cast.ann)
    reason = ReasonCode.objects.create(code="bill", name="A bill")
    friday = timezone.localdate() + timedelta(days=4)
    status, page = use(ann, taken, "promise_to_pay", invoice="HH-Q3W8NF", amount="100.00", pay_by=friday.isoformat())
    assert (status, "Only £85.00 is left to pay" in page) == (422, True)
    assert use(ann, taken, "promise_to_pay", invoice="HH-Q3W8NF", pay_by=friday.isoformat())[0] == 200
    assert (PaymentPromise.objects.get().amount, PaymentPromise.objects.get().made_by) == (85, live_cast.ann.display_name)
    at = (timezone.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    assert "not a phone number" in use(ann, taken, "schedule_callback", phone="12", at=at)[1]
    assert use(ann, taken, "schedule_callback", phone="07700 900321", at=at)[0] == 200
    assert use(ann, taken, "update_fact", fact="name", value="Maria Lopez-Garcia")[0] == 200
    assert use(ann, taken, "set_reason", reason="no_such")[0] == 422
    assert use(ann, taken, "set_reason", reason="bill")[0] == 200
    assert use(ann, taken, "add_action_item", title="Send the guarantee papers", owner=str(live_cast.ben.pk))[0] == 200
    taken.refresh_from_db()
    taken.customer.refresh_from_db()
    assert (taken.customer.name, taken.reason) == ("Maria Lopez-Garcia", reason)
    told = {entry.kind: entry for entry in Entry.objects.filter(conversation=taken, actor_kind="agent")}
    assert {"payment.promised", "record.changed", "reason.recognised", "action.added"} <= told.keys()
    assert sorted(ActionItem.objects.values_list("kind", flat=True)) == ["call_back", "payment", "task"]
    assert ActionItem.objects.get(kind="call_back").phone == "+447700900321"


def test_links_are_the_playbooks(live_cast: Cast, taken: Conversation) -> None:
    """Only what it lists is sent, once for one form."""
    links = [{"code": "pay", "label": "Pay online", "address": "https://pay.example/"}]
    values = {"persona": "-", "disclosure": "An AI.", "languages": ["en"], "links": links, "status": "published"}
    Playbook.objects.create(code="front", name="Front", **values)
    ann = live_cast.client(live_cast.ann)
    assert "Send a link" in ann.get(address_of(taken)).content.decode()
    assert use(ann, taken, "send_link", link="https://evil.example", to=ADDRESS)[0] == 422
    fields = {"client_id": str(uuid.uuid4()), "link": "pay", "to": ADDRESS}
    assert [use(ann, taken, "send_link", **fields)[0] for _twice in range(2)] == [200, 200]
    assert [each.to for each in mail.outbox] == [[ADDRESS]]
    assert "https://pay.example/" in mail.outbox[0].body
    assert SentLink.objects.get().sent_at
    assert ADDRESS not in str(Entry.objects.get(kind="tool.called").data)


def test_what_is_to_be_done_is_seen_and_marked(live_cast: Cast, taken: Conversation) -> None:
    """In the customer's pane, with a button for any agent; done once, by name; strangers mark nothing."""
    ann, ben = live_cast.client(live_cast.ann), live_cast.client(live_cast.ben)
    use(ann, taken, "add_action_item", title="Send the guarantee papers", owner=str(live_cast.ben.pk))
    item = ActionItem.objects.get()
    pane = ben.get(reverse("inbox:customer", args=[taken.public_id])).content.decode()
    done = reverse("inbox:item-done", args=[item.public_id])
    assert "Send the guarantee papers" in pane
    assert done in pane
    assert live_cast.client(live_cast.stranger).post(done).status_code == 404
    assert live_cast.client(None).post(done).status_code == 302
    assert ben.get(done).status_code == 405
    assert ben.post(reverse("inbox:item-done", args=[uuid.uuid4()])).status_code == 404
    assert [ben.post(done).status_code for _twice in range(2)] == [204, 204]
    item.refresh_from_db()
    assert item.done_by == live_cast.ben.display_name
    assert Entry.objects.filter(kind="action.done").count() == 1
    assert done not in ben.get(reverse("inbox:customer", args=[taken.public_id])).content.decode()


def test_a_promised_call_is_given_to_people_when_its_time_has_come(live_cast: Cast, taken: Conversation) -> None:
    """Once, also when the conversation was closed long before: the customer's next one has the package with the number."""
    ann = live_cast.client(live_cast.ann)
    at = (timezone.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    use(ann, taken, "schedule_callback", phone="07700 900321", at=at, about="The invoice")
    assert keeping_promises.call_back_in_time() == 0
    takeover.close(taken, live_cast.ann, live_cast.solved)
    ActionItem.objects.update(due_at=timezone.now() - timedelta(hours=1))
    assert len(call_backs_in_limbo()) == 1
    assert [keeping_promises.call_back_in_time() for _twice in range(2)] == [1, 0]
    assert call_backs_in_limbo() == []
    package = Handoff.objects.latest("pk")
    assert re.search(r"Call back now: Call 07700 900321 on .*The invoice", package.next_step)
    assert package.conversation.status == "open"
    assert package.conversation.customer == taken.customer


@pytest.fixture
def visit(live_cast: Cast, taken: Conversation) -> Booking:
    """A visit that was booked for somebody else than who calls, whose details are known to be others."""
    line = taken.interactions.latest("pk")
    told = [facts.LearnedFact("name", "Sam Rivera", "Sam Rivera"), facts.LearnedFact("phone", "+447700900000", "07700 900000")]
    facts.learn(taken, told, interaction=line, from_seq=taken.last_seq)
    technician = Technician.objects.create(name="Kay", hours=taken.interactions.latest("pk").entry_point.hours)
    start = timezone.now() + timedelta(days=1)
    return Booking.objects.create(
        reference="HH-V7T2KD", customer=taken.customer, original_customer=taken.customer, conversation=taken, technician=technician,
        service="Boiler service", name="Samantha Rivera", phone="+447700900124", postcode="HB14QT",
        window=(start, start + timedelta(hours=2)), idempotency_key="visit",
    )  # fmt: skip


def test_what_nobody_touched_stays_on_a_visit(live_cast: Cast, taken: Conversation, visit: Booking) -> None:
    """The form begins empty: who corrects the name leaves the number, who fills in nothing changes nothing."""
    ann = live_cast.client(live_cast.ann)
    page = ann.get(address_of(taken, "correct")).content.decode()
    assert "Sam Rivera" not in page
    assert "900000" not in page
    status, page = use(ann, taken, "correct", reference=visit.reference)
    assert (status, "Nothing was said that should change." in page) == (422, True)
    assert use(ann, taken, "correct", reference=visit.reference, name="Samantha Rivera-Cole")[0] == 200
    visit.refresh_from_db()
    assert (visit.name, visit.phone) == ("Samantha Rivera-Cole", "+447700900124")
    assert use(ann, taken, "correct", reference=visit.reference, phone="07700 900125")[0] == 200
    visit.refresh_from_db()
    assert (visit.name, visit.phone) == ("Samantha Rivera-Cole", "+447700900125")


def test_what_nobody_touched_stays_on_a_call(live_cast: Cast, taken: Conversation, visit: Booking) -> None:
    ann = live_cast.client(live_cast.ann)
    tomorrow, later = ((timezone.now() + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M") for hours in (24, 26))
    use(ann, taken, "schedule_callback", phone="07700 900124", at=tomorrow)
    item = ActionItem.objects.get()
    assert "900000" not in ann.get(address_of(taken, "change_callback")).content.decode()
    fields = {"call": str(item.public_id), "change": "move"}
    status, page = use(ann, taken, "change_callback", **fields)
    assert (status, "Nothing was said that should change." in page) == (422, True)
    assert use(ann, taken, "change_callback", **fields, at=later)[0] == 200
    moved = ActionItem.objects.get()
    assert (moved.phone, moved.due_at != item.due_at) == ("+447700900124", True)
    assert use(ann, taken, "change_callback", **fields, phone="07700 900126")[0] == 200
    assert (ActionItem.objects.get().phone, ActionItem.objects.get().due_at) == ("+447700900126", moved.due_at)


def test_a_visit_is_booked_with_a_number_as_people_write_it(live_cast: Cast, taken: Conversation, visit: Booking) -> None:
    """And a number that is none is answered kindly, also after the customer has gone."""
    ann = live_cast.client(live_cast.ann)
    taken.interactions.update(state="ended", ended_at=timezone.now())
    start = (timezone.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    fields = {"service": "Boiler service", "name": "Jo", "postcode": "HB1 4QT", "start": start}
    assert "Write it with its area code" in use(ann, taken, "book", phone="12", **fields)[1]
    page = use(ann, taken, "book", phone="07700 900124", **fields)[1]
    assert "not a phone number" not in page
    assert "E.164" not in page
    assert "outside the area" in page, "which is all that stands in the way"


def test_what_does_not_fit_is_said_kindly(live_cast: Cast, taken: Conversation) -> None:
    ann = live_cast.client(live_cast.ann)
    friday = (timezone.localdate() + timedelta(days=4)).isoformat()
    page = use(ann, taken, "promise_to_pay", invoice="HH-Q3W8NF", amount="-5", pay_by=friday)[1]
    assert "Write an amount such as 85 or 85.50." in page
    assert "that the customer said" not in page
    assert "Choose a day." in use(ann, taken, "promise_to_pay", invoice="HH-Q3W8NF", pay_by="soon")[1]


def test_what_tools_answer_is_for_people(live_cast: Cast, taken: Conversation) -> None:
    """Money with its currency, nothing said where nothing was found, and nothing that only programs read."""
    ann = live_cast.client(live_cast.ann)
    PriceListItem.objects.create(code="boiler", name="Boiler service", description="", price=85, unit="per boiler")
    assert "£85" in use(ann, taken, "find_prices", query="boiler service")[1]
    nothing = use(ann, taken, "find_prices", query="zebra riding")[1]
    assert "nothing like that is on the price list" in nothing
    assert "Boiler service" in nothing
    assert "£85.00" in use(ann, taken, "find_invoices")[1]
    assert "£38.00" in use(ann, taken, "find_orders")[1]
    assert "£85.00" in ann.get(address_of(taken, "promise_to_pay")).content.decode()
    Identifier.objects.filter(value=ADDRESS).update(assurance="claimed")
    page = use(ann, taken, "find_invoices")[1]
    assert "none was found that is proven to be theirs" in page
    assert "Left to pay" not in page
    assert "There is none to choose from" in ann.get(address_of(taken, "promise_to_pay")).content.decode()
    at = (timezone.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    use(ann, taken, "schedule_callback", phone="07700 900321", at=at)
    page = use(ann, taken, "find_callbacks")[1]
    assert "07700 900321" in page
    assert str(ActionItem.objects.get().public_id) not in page


def test_articles_are_read_without_their_marks(live_cast: Cast, taken: Conversation) -> None:
    body = "Turn the **red** valve to the *left*."
    ingest(KnowledgeArticle.objects.create(slug="valves", title="Which valve to turn", body=body, url="/help/valves"))
    page = use(live_cast.client(live_cast.ann), taken, "search_knowledge", query="Which valve do I turn?")[1]
    assert "Turn the red valve to the left." in page
    assert not re.search(r"<dt>(?:Score|Reason|Within)</dt>", page)


def test_days_and_places_are_answered_truly(live_cast: Cast, taken: Conversation, visit: Booking) -> None:
    """Closed is said, as is what is over, what never was, and what is no postcode."""
    ann = live_cast.client(live_cast.ann)
    door = taken.interactions.latest("pk").entry_point
    hours = ServiceHours.objects.create(code="always-closed", name="Closed", expression="Mo-Su off", time_zone="Europe/London")
    type(door).objects.filter(pk=door.pk).update(hours=hours)
    page = use(ann, taken, "find_hours", day=timezone.localdate().isoformat())[1]
    assert "closed" in page
    assert "Kept" not in page
    past, later = ((timezone.now() + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M") for days in (-2, 2))
    over = "That time is over already."
    booked = {"service": "x", "name": "Jo", "phone": "07700 900124", "postcode": "HB1 4QT"}
    assert over in use(ann, taken, "book", start=past, **booked)[1]
    assert over in use(ann, taken, "reschedule", reference=visit.reference, start=past)[1]
    assert over in use(ann, taken, "add_action_item", title="Look", due_at=past)[1]
    assert not ActionItem.objects.exists()
    assert "The latest time is before" in use(ann, taken, "find_slots", postcode="HB1 4QT", **{"from": later, "to": past})[1]
    assert "That is not a postcode." in use(ann, taken, "check_area", postcode="nonsense <b>")[1]


@pytest.mark.parametrize("number", ["+1 900 555 0100", "0909 879 0123"])
def test_numbers_that_cost_whoever_rings_them_are_not_called_back(live_cast: Cast, taken: Conversation, number: str) -> None:
    ann = live_cast.client(live_cast.ann)
    at = (timezone.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    status, page = use(ann, taken, "schedule_callback", phone=number, at=at)
    assert (status, "costs whoever rings it" in page) == (422, True)
    assert not ActionItem.objects.exists()
    use(ann, taken, "schedule_callback", phone="07700 900321", at=at)
    fields = {"call": str(ActionItem.objects.get().public_id), "change": "move"}
    assert "costs whoever rings it" in use(ann, taken, "change_callback", phone=number, **fields)[1]
    assert ActionItem.objects.get().phone == "+447700900321"


def test_what_a_person_noted_was_not_said_by_the_customer(live_cast: Cast, taken: Conversation) -> None:
    """In the pane it is the person's, as is what a line shows the line's; and it answers no question of ours."""
    ann, line = live_cast.client(live_cast.ann), taken.interactions.latest("pk")
    facts.learn(taken, [facts.LearnedFact("phone", "+447700900000", shown=True)], interaction=line, from_seq=taken.last_seq)
    asked = NewEntry(
        kind="message", actor_kind="assistant", actor_name="-", body="What name shall I put on the visit?", interaction=line,
        data={"field": {"fact": "name", "label": "Name"}},
    )  # fmt: skip
    timeline.append(taken.pk, asked)
    use(ann, taken, "update_fact", fact="name", value="Maria Lopez-Garcia")
    pane = ann.get(reverse("inbox:customer", args=[taken.public_id])).content.decode()
    assert f"noted by {live_cast.ann.display_name}" in pane
    assert "the number they call from" in pane
    assert "written in web chat" not in pane
    copilot = ann.get(reverse("inbox:copilot", args=[taken.public_id])).content.decode()
    answer = copilot.partition("What name shall I put on the visit?")[2].partition("</li>")[0]
    assert "no answer yet" in answer


def history_of(browser: Client, conversation: Conversation) -> str:
    return browser.get(reverse("inbox:entries", args=[conversation.public_id]), {"after": 0}).content.decode()


def test_a_call_that_a_person_moves_is_told_once_and_agreed_to_by_nobody_else(
    live_cast: Cast, taken: Conversation, visit: Booking
) -> None:
    """Whoever noted it stands there, the answer is for staff, and the history says once what became of it."""
    ann = live_cast.client(live_cast.ann)
    tomorrow, later = ((timezone.now() + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M") for hours in (24, 26))
    page = use(ann, taken, "schedule_callback", phone="07700 900124", at=tomorrow)[1]
    assert "They are called on 07700 900124" in page
    fields = {"call": str(ActionItem.objects.get().public_id), "change": "move"}
    page = use(ann, taken, "change_callback", **fields, at=later)[1]
    assert "They are called on 07700 900124" in page
    assert "We will call you" not in page
    assert not re.search(r"<dt>(?:Change|By)</dt>", page)
    assert set(Consent.objects.values_list("given_by", "recorded_by")) == {("agent", live_cast.ann.display_name)}
    pane = ann.get(reverse("inbox:customer", args=[taken.public_id])).content.decode()
    assert "Typed in a message" not in pane
    assert "An agent, for the customer" in pane
    use(ann, taken, "correct", reference=visit.reference, name="Samantha Rivera-Cole")
    history = history_of(ann, taken)
    assert history.count('<span class="event-label">Booking changed</span>') == 1
    assert "Looked up" not in history


def test_a_call_back_that_waits_is_to_be_done_from_when_it_is_promised(live_cast: Cast) -> None:
    """Until it is called off, which leaves nothing of its time with the AI agent."""
    conversation = live_cast.chat()
    live_cast.hands_over(conversation)
    line, by = conversation.interactions.latest("pk"), timezone.now() + timedelta(hours=20)
    with transaction.atomic():
        answer = consent.may_we(conversation.customer, "outbound_call", identifier=("phone", "+447700900131"))
        callbacks.note(conversation, line, "+447700900131", by, answer)
        callbacks.keep_in_mind(conversation, line, by=by)
    pane = reverse("inbox:customer", args=[conversation.public_id])
    ann = live_cast.client(live_cast.ann)
    assert re.search(r"Call 07700 900131 by \w{3} \d+ \w{3}, \d\d:\d\d", ann.get(pane).content.decode())
    takeover.take_over(conversation, live_cast.ann)
    promised = promises.promised_on(conversation.interactions.all())
    assert [each.phone for each in promised] == ["+447700900131"]
    fields = {"call": str(conversation.public_id), "change": "call_off"}
    assert use(ann, conversation, "change_callback", **fields)[0] == 200
    assert "Call 07700 900131 by" not in ann.get(pane).content.decode()
    conversation.refresh_from_db()
    assert "by" not in conversation.form_state["callback"]
