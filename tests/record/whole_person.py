"""A person of whom every table that can hold something does, told by name, number, address and words; for what must reach all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.utils import timezone

from conversations.chat.visitor import Visitor
from conversations.connectors.desk import OpenTicket
from conversations.connectors.registry import desk
from conversations.models import (
    ActionItem,
    Audience,
    Campaign,
    CampaignContact,
    ChatLink,
    Conversation,
    Customer,
    DialAttempt,
    Entry,
    Handoff,
    Interaction,
    InteractionLink,
    Invoice,
    KnowledgeCheck,
    OneTimeCode,
    PaymentPromise,
    Proof,
    Qualification,
    RetiredVisitor,
    SalesAccount,
    SalesOrder,
    SentLink,
    SentText,
    SharedIdentifier,
    SubjectTalk,
    Technician,
    TurnTrace,
    UnansweredQuestion,
)
from conversations.services import (
    action_items,
    callbacks,
    consent,
    details,
    facts,
    holds,
    identity,
    joining,
    merging,
    qualifying,
    recordings,
    suppression,
    threads,
    timeline,
    transport,
    weaving,
)
from conversations.services.action_items import By
from conversations.services.consent import Said
from conversations.services.facts import LearnedFact
from conversations.services.parties import IdentifierClaim
from conversations.services.recordings import Finished
from conversations.services.timeline import NewEntry
from routing.models import WorkItem
from tests.outbound import calling
from tests.record import parties, rows
from tests.record.test_constraints import booking

ANN = By("agent", "Ann")
NUMBERS_OF_A_MEANING = 384


@dataclass
class Person:
    """What a person is called by and has said, none of which may be found after an erasure, and their records and lines."""

    surname: str
    number: str
    email: str
    postcode: str
    word: str

    def __post_init__(self) -> None:
        self.name = f"Sam {self.surname}"
        self.account = f"crm:{self.surname}-1"

    customer: Customer = None  # type: ignore[assignment]
    chat: Interaction = None  # type: ignore[assignment]
    call: Interaction = None  # type: ignore[assignment]

    def secrets(self) -> set[str]:
        """What names them, in every spelling in which the product keeps it."""
        national = self.number.removeprefix("+44")
        spaced = f"{national[:4]} {national[4:]}"
        return {self.surname, self.email, self.postcode, self.postcode.replace(" ", ""), self.word, national, spaced, self.account}


def make(surname: str = "Okafor", number: str = "+447700900123", postcode: str = "HB1 4QT", word: str = "zebra") -> Person:
    """The person with a row in every table of FILLED, all lines over. Needs the company of the record's tests."""
    person = Person(surname, number, f"{surname.lower()}@example.org", postcode, word)
    claims = (IdentifierClaim("email", person.email, "verified"),)
    with transaction.atomic():
        person.chat = parties.chat(Visitor(parties.vouched_for("email", person.email).browser, claims))
        parties.says(person.chat, f"My {word} boiler hums, I am {person.name}")
        person.call = parties.call(number)
        Customer.objects.filter(pk=person.chat.conversation.customer_id).update(address=f"1 {word} Quay")
        parties.says(person.call, f"The {word} again")
        Customer.objects.filter(pk=person.call.conversation.customer_id).update(name=f"S. {surname}", address=f"Old {word} Lane")
        merging.join_customers(
            person.call.conversation.customer, person.chat.conversation.customer, evidence={"sentence": person.name}, made_by="maya"
        )
        person.chat, person.call = (Interaction.objects.get(pk=each.pk) for each in (person.chat, person.call))
        person.customer = person.chat.conversation.customer
        Customer.objects.filter(pk=person.customer.pk).update(
            name=person.name, postcode=postcode.replace(" ", ""), attributes={"note": person.name}
        )
        person.customer.refresh_from_db()
        for fill in FILLED.values():
            fill(person)
        for line in (person.chat, person.call):
            threads.end_interaction(line, reason="left")
        for conversation in Conversation.objects.filter(customer=person.customer, status="open", joined_into__isnull=True):
            threads.close(conversation, actor_kind="system", actor_name="", disposition=None)
    person.customer.refresh_from_db()
    return person


def _nothing(person: Person) -> None:
    """What has a row already: what was said and joined."""


def _entries(person: Person) -> None:
    for kind in ("note", "outcome.set", "conversation.transferred", "wrapped_up", "draft", "reply.refused"):
        data = {"summary": person.name, "withheld": person.word}
        _writes(person, kind, f"{person.name} has a {person.word}", data)


def _writes(person: Person, kind: str, body: str, data: Mapping[str, Any]) -> None:
    place = Interaction.objects.get(pk=person.chat.pk)
    timeline.append(
        place.conversation_id, NewEntry(kind, "agent", "Ann", body=body, audience="staff", data=data, interaction=place)
    )


def _logs(person: Person) -> None:
    LogEntry.objects.log_actions(rows.agent().user_id, [person.customer], CHANGE, change_message=person.name, single_object=True)


def _webhooks(person: Person) -> None:
    """What the platform told of a call from them, of a leg to them that nothing came of, and of a text of theirs."""
    bare = person.number.removeprefix("+")
    told: tuple[tuple[str, dict[str, Any]], ...] = (
        (person.call.provider_id, {"from": bare, "speech": {"results": [person.word]}}),
        (f"leg-{uuid4()}", {"to": bare, "status": "failed"}),
        (f"text-{uuid4()}", {"from": bare, "text": person.word}),
    )
    for provider_id, body in told:
        record, _new = transport.record_webhook(
            token_id=uuid4().hex, body_hash="a" * 64, kind="event", provider_id=provider_id, body={"uuid": provider_id, **body}
        )
        transport.answer_webhook(record, [{"action": "talk", "text": f"Hello {person.name}"}])


def _recordings(person: Person) -> None:
    finished = Finished(f"recording-{person.call.pk}", "https://api.nexmo.com/v1/files/a", timezone.now(), 42)
    recordings.note(person.call, finished)


def _chat_sessions(person: Person) -> None:
    transport.record_chat_session(session_id=person.chat.provider_id, entry_point_address="/harborhome", visitor=person.chat.party)


def _decisions(person: Person) -> None:
    rows.decision(
        subject=person.chat.conversation.public_id.hex,
        need={"facts": {"postcode": person.postcode}},
        sentence=f"Because postcode is {person.postcode}.",
    )


def _handoffs(person: Person) -> None:
    subject = person.chat.conversation.public_id.hex
    work = WorkItem.objects.create(
        subject=subject, kind="messaging", queue=rows.queue(), deadline=timezone.now(), state="completed", ended_at=timezone.now()
    )
    Handoff.objects.create(
        conversation=person.chat.conversation, interaction=person.chat, work_item=work, why=person.name, summary=person.word
    )


def _traces(person: Person) -> None:
    TurnTrace.objects.create(
        conversation=person.chat.conversation, interaction=person.chat, wanted_seq=1, outcome="answered", answered_by="rules",
        words={"said": person.word},
    )  # fmt: skip


def _bookings(person: Person) -> None:
    technician = Technician.objects.create(name=f"Priya {person.customer.pk}")
    booking(
        person.chat.conversation, technician, 48, 50, f"{person.surname[:1]}{person.customer.pk}",
        name=person.name, phone=person.number, postcode=person.postcode,
    )  # fmt: skip


def _accounts(person: Person) -> None:
    with transaction.atomic():
        identity.remember(person.customer, IdentifierClaim("external", person.account, "verified"), source="import")
    account = SalesAccount.objects.create(number=person.account, name=person.name, email=person.email, phone=person.number)
    today = timezone.localdate()
    number = person.customer.pk
    SalesOrder.objects.create(account=account, reference=f"OR-{number:06d}", what="A boiler", ordered_on=today, total=10)
    invoice = Invoice.objects.create(
        account=account, reference=f"IN-{number:06d}", what="A boiler", issued_on=today, due_on=today, total=10, left_to_pay=10
    )
    PaymentPromise.objects.create(
        invoice=invoice, amount=1, pay_by=today, conversation=person.chat.conversation.public_id, made_by="Ann", idempotency_key=uuid4().hex
    )


def _tickets(person: Person) -> None:
    desk().open_ticket(
        OpenTicket(
            subject=f"{person.word} hums",
            details=person.name,
            contact={"name": person.name, "phone": person.number},
            customer=person.customer.public_id,
            conversation=person.chat.conversation.public_id,
            idempotency_key=uuid4().hex,
        )
    )


def _items(person: Person) -> None:
    """What was to be done is done; a promised call, and a detail put right."""
    conversation = Conversation.objects.get(pk=person.chat.conversation_id)
    action_items.add(conversation, title=f"Send {person.name} the {person.word}", by=ANN, key=uuid4().hex)
    action_items.add_call_back(
        Interaction.objects.select_related("conversation", "entry_point").get(pk=person.call.pk), phone=person.number,
        at=timezone.now() + timedelta(hours=3), by=ANN, key=uuid4().hex, asked_with=f"I call you on {facts.phone(person.number)}.",
        about=person.word,
    )  # fmt: skip
    for item in ActionItem.objects.filter(customer=person.customer):
        action_items.finish(item, by=ANN)
    line = Interaction.objects.select_related("conversation", "entry_point").get(pk=person.chat.pk)
    answer = consent.may_we(person.customer, "outbound_call", identifier=("phone", person.number))
    callbacks.note(line.conversation, line, person.number, timezone.now(), answer)
    consent.keep_request(
        line, "outbound_call", person.number, wording="We call you back on …", lasts=timedelta(hours=1), recorded_by="Harbor",
        source_id=callbacks.once(line.conversation, person.number),
    )  # fmt: skip
    callbacks.note_refused(
        line.conversation, line, person.number, reason="no_contact", why=f"Not {person.number}", source_id=f"callback:{person.number}"
    )
    details.change(line, "address", f"2 {person.word} Quay", by=ANN, key=uuid4().hex)


def _qualifications(person: Person) -> None:
    line = Interaction.objects.select_related("conversation").get(pk=person.chat.pk)
    qualifying.qualify(
        line.conversation, form="quote", form_name="Quote", score=5, answers={"name": person.name}, interaction=line, made_by="Harbor"
    )
    Qualification.objects.filter(conversation=line.conversation).update(state="done")


def _sent_links(person: Person) -> None:
    SentLink.objects.create(interaction=person.chat, link="pay", kind="phone", value=person.number, idempotency_key=uuid4().hex)


def _conversation_links(person: Person) -> None:
    """Another conversation of theirs that was joined by hand, and a line that was moved."""
    other = parties.chat(parties.vouched_for("email", f"second.{person.email}"))
    parties.says(other, f"A second {person.word}")
    weaving.join_by_hand(other.conversation, Conversation.objects.get(pk=person.chat.conversation_id), reason=person.name, made_by="ann")
    merging.join_customers(other.conversation.customer, person.customer, evidence={"value": person.email}, made_by="maya")
    threads.end_interaction(Interaction.objects.get(pk=other.pk), reason="left")
    elsewhere = Conversation.objects.filter(customer=person.customer).exclude(pk=person.chat.conversation_id).earliest("pk")
    InteractionLink.objects.create(
        interaction=person.call, origin=elsewhere, into_id=person.chat.conversation_id, evidence={"sentence": person.name}, made_by="ann"
    )


def _pairs(person: Person) -> None:
    identity.note_candidate(rows.customer("Somebody"), person.customer, score=0.5, evidence={"value": person.email})


def _codes(person: Person) -> None:
    joining.issue_code(person.chat)
    OneTimeCode.objects.create(
        interaction=person.chat, way="email", kind="email", value=person.email, code_hash="0" * 64, expires_at=timezone.now()
    )
    ChatLink.objects.create(interaction=person.call, value=person.number, token_hash=uuid4().hex * 2, expires_at=timezone.now())
    Proof.objects.create(
        interaction=person.call, customer=person.customer, original_customer=person.customer, method="agent", level="verified",
        made_by="Ann", note=f"Knew the {person.word}",
    )  # fmt: skip
    KnowledgeCheck.objects.create(interaction=person.call, matched=person.customer.pk)


def _holds(person: Person) -> None:
    hold = holds.place(person.customer, reason=f"Dispute with {person.name}", by="maya")
    holds.lift(hold, by="maya")


def _questions(person: Person) -> None:
    asked_in = Entry.objects.filter(interaction=person.chat, kind="message", actor_kind="customer").earliest("seq")
    UnansweredQuestion.objects.create(
        conversation=person.chat.conversation, interaction=person.chat, seq=asked_in.seq, text=f"Do you sell a {person.word}",
        embedding=[0.1] * NUMBERS_OF_A_MEANING, asked_at=timezone.now(),
    )  # fmt: skip


def _texts(person: Person) -> None:
    """They wrote by text message, and what was answered did not arrive."""
    door = rows.phone_line()
    line = rows.interaction(
        Conversation.objects.get(pk=person.chat.conversation_id), door=door, channel="sms", provider_id=f"sms:{door.pk}:{person.number}:1",
        party=person.number,
    )  # fmt: skip
    parties.says(line, f"The {person.word} by text")
    parties.is_told(line, f"Hello {person.name}")
    last = Entry.objects.filter(interaction=line).latest("seq")
    SentText.objects.create(interaction=line, entry=last, first_seq=last.seq, state="refused", problem=f"{person.number} wants none")
    threads.end_interaction(line, reason="silence")


def _calls(person: Person) -> None:
    """A campaign has rung them and they talked."""
    asked = calling.wanted(person.customer, person.number, subject="customer:1")
    calling.says(person.customer, "outbound_call", "given", person.number)
    attempt = calling.rung_before(asked, timedelta(days=1))
    assert isinstance(attempt, DialAttempt)
    audience = Audience.objects.create(name=f"Of {person.customer.pk}", source="customers")
    campaign = Campaign.objects.create(name="Reminders", purpose="reminder", audience=audience, entry_point=rows.phone_line())
    CampaignContact.objects.create(
        campaign=campaign, customer=person.customer, original_customer=person.customer, number=person.number, subject="customer:1",
        attempt=attempt, state="done", outcome="no_answer", done_at=timezone.now(),
    )  # fmt: skip
    SubjectTalk.objects.create(
        customer=person.customer, original_customer=person.customer, purpose="reminder", subject="customer:1", interaction=person.call
    )


def _consents(person: Person) -> None:
    said = Said(given_by="agent", how="said", recorded_by="Ann", assurance="claimed", note=f"{person.name} said it")
    consent.record(person.customer, purpose="sms", decision="refused", said=said, identifier=("phone", person.number))
    consent.prefer(person.customer, way="text", times=f"When {person.name} is home", language="en", updated_by="Ann")
    suppression.suppress("phone", person.number, reason=f"{person.name} wrote", added_by="maya")


def _shared(person: Person) -> None:
    SharedIdentifier.objects.create(kind="email", value=person.email, customers=9, shown_as="network_hint")
    with transaction.atomic():
        facts.learn(person.chat.conversation, [LearnedFact("name", person.name)], interaction=person.chat, from_seq=1)


def _retired(person: Person) -> None:
    RetiredVisitor.objects.create(visitor=person.chat.party)


FILLED: Mapping[str, Callable[[Person], None]] = {
    "conversations.Identifier": _nothing,
    "conversations.Customer": _nothing,
    "conversations.Conversation": _nothing,
    "conversations.Interaction": _nothing,
    "conversations.CustomerLink": _nothing,
    "conversations.FieldConflict": _nothing,
    "conversations.Consent": _consents,
    "conversations.ContactPreference": _nothing,
    "conversations.Suppression": _nothing,
    "conversations.Entry": _entries,
    "admin.LogEntry": _logs,
    "conversations.WebhookRecord": _webhooks,
    "conversations.ChatSessionRecord": _chat_sessions,
    "conversations.CallRecording": _recordings,
    "routing.Decision": _decisions,
    "conversations.Handoff": _handoffs,
    "conversations.TurnTrace": _traces,
    "conversations.Booking": _bookings,
    "conversations.SalesAccount": _accounts,
    "conversations.SalesOrder": _nothing,
    "conversations.Invoice": _nothing,
    "conversations.PaymentPromise": _nothing,
    "conversations.Ticket": _tickets,
    "conversations.ActionItem": _items,
    "conversations.Qualification": _qualifications,
    "conversations.SentLink": _sent_links,
    "conversations.ConversationLink": _conversation_links,
    "conversations.InteractionLink": _nothing,
    "conversations.MatchCandidate": _pairs,
    "conversations.JoinCode": _codes,
    "conversations.OneTimeCode": _nothing,
    "conversations.ChatLink": _nothing,
    "conversations.Proof": _nothing,
    "conversations.KnowledgeCheck": _nothing,
    "conversations.LegalHold": _holds,
    "conversations.UnansweredQuestion": _questions,
    "conversations.SentText": _texts,
    "conversations.DialAttempt": _calls,
    "conversations.CampaignContact": _nothing,
    "conversations.SubjectTalk": _nothing,
    "conversations.SharedIdentifier": _shared,
    "conversations.RetiredVisitor": _retired,
}
"""How each table that an erasure reaches gets a row of the person; `_nothing` where one that stands before has made it."""


def everything() -> dict[str, list[str]]:
    """Every row of every table of ours as text, by table."""
    return {
        model._meta.label: [f"{row}" for row in model._base_manager.values()]
        for app in ("conversations", "routing", "admin", "reporting")
        for model in apps.get_app_config(app).get_models(include_auto_created=True)
    }


def found(secrets: set[str]) -> dict[str, set[str]]:
    """Which of these stand in which table."""
    told = {label: "\n".join(texts).lower() for label, texts in everything().items()}
    hits = {label: {each for each in secrets if each.lower() in text} for label, text in told.items()}
    return {label: each for label, each in hits.items() if each}
