"""The database itself refuses every bad row of the record; no Python stands in between."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.db.models import Model
from django.utils import timezone

from conversations.models import (
    Booking,
    Conversation,
    ConversationLink,
    Customer,
    CustomerLink,
    Entry,
    EntryPoint,
    Handoff,
    Identifier,
    Interaction,
    InteractionLink,
    JoinCode,
    KnowledgeArticle,
    KnowledgePassage,
    KnowledgeQuestion,
    KnowledgeVersion,
    MatchCandidate,
    Playbook,
    PlaybookForm,
    PlaybookFormField,
    Technician,
    TechnicianShift,
    UnansweredQuestion,
)
from conversations.services import timeline
from routing.models import ReasonCode, WorkItem
from tests.record import rows

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def refused(constraint: str, write: Callable[[], Any]) -> None:
    """The write fails, and the database names the rule."""

    def write_at_once() -> None:
        with transaction.atomic():
            write()
            connection.check_constraints()

    with pytest.raises(DatabaseError, match=constraint):
        write_at_once()


def test_a_customer_has_at_most_one_open_conversation() -> None:
    """A second open conversation is refused; a closed one or a joined one beside it is not."""
    sam = rows.customer()
    first = rows.conversation(sam)
    refused("customer_has_at_most_one_open_conversation", lambda: rows.conversation(sam))
    rows.conversation(sam, status="closed", closed_at=NOW)
    rows.conversation(sam, joined_into=first)


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("conversation_names_its_owner_exactly_when_a_person", {"owner_kind": "human"}),
        ("conversation_has_a_closing_time_exactly_when_closed", {"status": "closed"}),
        ("conversation_has_a_closing_time_exactly_when_closed", {"closed_at": NOW}),
        ("conversation_fence_starts_at_one", {"fence": 0}),
        ("conversation_turns_follow_its_entries", {"turn_wanted_seq": 1}),
        ("conversation_turns_follow_its_entries", {"last_seq": 2, "turn_wanted_seq": 1, "turn_done_seq": 2}),
        ("conversation_sentiment_is_minus_one_to_one", {"sentiment": 1.5}),
        ("conversation_urgency_is_known", {"urgency": "asap"}),
    ],
)
def test_conversation_rules(constraint: str, changes: dict[str, Any]) -> None:
    """A conversation's columns fit each other."""
    refused(constraint, lambda: rows.conversation(**changes))


def test_an_assistant_conversation_names_no_person() -> None:
    """A named person with the assistant as owner is refused."""
    ann = rows.agent()
    refused(
        "conversation_names_its_owner_exactly_when_a_person",
        lambda: rows.conversation(owner_kind="assistant", owner_agent=ann),
    )


def test_a_conversation_is_not_joined_into_itself() -> None:
    """A loop of one is refused."""
    one = rows.conversation()
    refused(
        "conversation_is_not_joined_into_itself",
        lambda: Conversation.objects.filter(pk=one.pk).update(joined_into=one),
    )


def entry(of: Conversation, seq: int, **changes: Any) -> Entry:
    return Entry.objects.create(**{"conversation": of, "seq": seq, "kind": "message", "actor_kind": "customer", **changes})


def test_seq_is_unique_in_a_conversation() -> None:
    """Two entries never share a place."""
    one = rows.conversation()
    entry(one, 1)
    refused("entry_seq_is_unique_in_its_conversation", lambda: entry(one, 1))


def test_a_source_is_stored_once() -> None:
    """The same delivery makes one entry, in whatever conversation it is tried again."""
    entry(rows.conversation(), 1, source_id="chat:v:1")
    refused("source_id", lambda: entry(rows.conversation(rows.customer("Ada")), 1, source_id="chat:v:1"))


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("entry_kind_is_a_namespaced_word", {"kind": "Robert'); DROP TABLE"}),
        ("entry_actor_kind_is_known", {"actor_kind": "robot"}),
        ("entry_audience_is_known", {"audience": "world"}),
        ("redacted_entry_says_why", {"redacted_at": NOW}),
    ],
)
def test_entry_rules(constraint: str, changes: dict[str, Any]) -> None:
    """An entry's words come from their lists."""
    refused(constraint, lambda: entry(rows.conversation(), 1, **changes))


def test_seq_starts_at_one() -> None:
    """There is no entry nought."""
    refused("entry_seq_starts_at_one", lambda: entry(rows.conversation(), 0))


@pytest.mark.parametrize("changes", [{"body": "changed"}, {"seq": 7}, {"audience": "staff"}, {"data": {"a": 1}}])
def test_entries_never_change(changes: dict[str, Any]) -> None:
    """No update reaches a stored entry."""
    stored = entry(rows.conversation(), 1, body="as said")
    refused("append-only", lambda: Entry.objects.filter(pk=stored.pk).update(**changes))


def test_entries_are_never_deleted() -> None:
    """Not by the ORM, and not by SQL."""
    stored = entry(rows.conversation(), 1)
    refused("entries_are_never_deleted", lambda: Entry.objects.filter(pk=stored.pk).delete())
    refused(
        "entries_are_never_deleted",
        lambda: connection.cursor().execute("DELETE FROM conversations_entry WHERE id = %s", [stored.pk]),
    )


def test_redaction_changes_an_entry_once_and_leaves_a_mark() -> None:
    """Redaction empties the text and says why; a second one, or one that moves the entry, is refused."""
    stored = entry(rows.conversation(), 1, body="my address is 1 Quay", data={"client_id": "a", "quick_replies": []})
    timeline.redact(stored, reason="asked by the customer")
    stored.refresh_from_db()
    assert (stored.body, stored.data, stored.redaction_reason) == ("", {"client_id": "a"}, "asked by the customer")
    refused("append-only", lambda: Entry.objects.filter(pk=stored.pk).update(redacted_at=NOW, redaction_reason="again"))
    other = entry(stored.conversation, 2)
    refused(
        "append-only",
        lambda: Entry.objects.filter(pk=other.pk).update(redacted_at=NOW, redaction_reason="x", actor_kind="agent"),
    )


def identifier(of: Customer, **changes: Any) -> Identifier:
    given = {"kind": "phone", "value": "+447700900123", "assurance": "verified", "source": "test", **changes}
    return Identifier.objects.create(customer=of, original_customer=of, **given)


@pytest.mark.parametrize("assurance", ["verified", "network_hint"])
def test_a_proven_identifier_belongs_to_one_customer(assurance: str) -> None:
    """Anybody may claim a value, one record may hold it proven."""
    identifier(rows.customer("Sam"), assurance=assurance)
    identifier(rows.customer("Ada"), assurance="claimed")
    refused("proven_identifier_belongs_to_one_customer", lambda: identifier(rows.customer("Eve")))


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("phone_identifier_is_e164", {"value": "07700 900123"}),
        ("identifier_assurance_is_known", {"assurance": "certain"}),
        ("identifier_kind_is_known", {"kind": "shoe_size", "value": "44"}),
        ("identifier_is_not_empty", {"kind": "email", "value": ""}),
    ],
)
def test_identifier_rules(constraint: str, changes: dict[str, Any]) -> None:
    """Identifiers are kept in normal form only."""
    refused(constraint, lambda: identifier(rows.customer(), **changes))


def test_a_customer_has_an_identifier_once() -> None:
    """The same value twice on a record is one row."""
    sam = rows.customer()
    identifier(sam, assurance="claimed")
    refused("customer_has_an_identifier_once", lambda: identifier(sam, assurance="claimed"))


def test_interaction_rules() -> None:
    """A transport's id makes one interaction, which has an end exactly when it ended."""
    call = rows.interaction(provider_id="call-1")
    refused("provider_id", lambda: rows.interaction(call.conversation, provider_id="call-1"))
    refused("interaction_has_an_end_exactly_when_ended", lambda: Interaction.objects.filter(pk=call.pk).update(state="ended"))
    refused("interaction_has_an_end_exactly_when_ended", lambda: Interaction.objects.filter(pk=call.pk).update(ended_at=NOW))
    for constraint, changes in (
        ("interaction_channel_is_known", {"channel": "fax"}),
        ("interaction_state_is_known", {"state": "lost"}),
        ("interaction_assurance_is_known", {"assurance": "sure"}),
        ("interaction_has_a_provider_id", {"provider_id": ""}),
        ("interaction_direction_is_known", {"direction": "sideways"}),
    ):
        refused(constraint, lambda changes=changes: Interaction.objects.filter(pk=call.pk).update(**changes))


def test_a_line_is_moved_into_another_conversation() -> None:
    """A link from a conversation to itself says nothing."""
    call = rows.interaction()
    home = call.conversation
    refused(
        "interaction_link_is_about_two_conversations",
        lambda: InteractionLink.objects.create(interaction=call, origin=home, into=home, made_by="test"),
    )


def test_every_choice_is_one_of_its_list() -> None:
    """Whatever column has choices, the database takes no other word."""
    chosen = [
        (model, field)
        for model in apps.get_app_config("conversations").get_models()
        for field in model._meta.fields
        if field.choices and not model._meta.proxy and not hasattr(model, "pgh_tracked_model")
    ]
    assert len(chosen) >= 15
    unchecked = [f"{model.__name__}.{field.name}" for model, field in chosen if not _is_checked(model, field.column)]
    assert not unchecked


def _is_checked(model: type[Model], column: str) -> bool:
    """Whether a CHECK of the table names the column."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)"
            " WHERE c.contype = 'c' AND c.conrelid = %s::regclass AND a.attname = %s",
            [model._meta.db_table, column],
        )
        return bool(cursor.fetchone()[0])


def test_an_unused_join_code_is_unique() -> None:
    """Two open codes never share their hash; a used one may come again."""
    chat = rows.interaction()
    until = NOW + timedelta(minutes=15)
    code = JoinCode.objects.create(interaction=chat, code_hash="h", expires_at=until)
    refused(
        "unused_join_code_is_unique",
        lambda: JoinCode.objects.create(interaction=chat, code_hash="h", expires_at=until),
    )
    JoinCode.objects.filter(pk=code.pk).update(used_at=NOW)
    JoinCode.objects.create(interaction=chat, code_hash="h", expires_at=until)


def test_customer_links() -> None:
    """A record is joined into one other at a time, never into itself, and an undone link says when."""
    sam, ada, eve = (rows.customer(name) for name in ("Sam", "Ada", "Eve"))
    link = CustomerLink.objects.create(joined=sam, into=ada, made_by="test")
    refused("customer_is_joined_into_one_record", lambda: CustomerLink.objects.create(joined=sam, into=eve, made_by="test"))
    refused("customer_is_not_joined_into_itself", lambda: CustomerLink.objects.create(joined=eve, into=eve, made_by="test"))
    refused("customer_link_is_dated_when_undone", lambda: CustomerLink.objects.filter(pk=link.pk).update(active=False))
    refused("customer_root_is_another_record", lambda: Customer.objects.filter(pk=eve.pk).update(root=eve))


def test_conversation_links() -> None:
    """A conversation goes on in one other at a time, never in itself, and an undone link says when."""
    one, two, three = (rows.conversation(rows.customer(name)) for name in ("Sam", "Ada", "Eve"))
    link = ConversationLink.objects.create(joined=one, into=two, made_by="test")
    refused(
        "conversation_is_joined_into_one_other",
        lambda: ConversationLink.objects.create(joined=one, into=three, made_by="test"),
    )
    refused(
        "conversation_link_is_about_two_conversations",
        lambda: ConversationLink.objects.create(joined=three, into=three, made_by="test"),
    )
    refused(
        "conversation_link_is_dated_when_undone",
        lambda: ConversationLink.objects.filter(pk=link.pk).update(active=False),
    )


def test_match_candidates() -> None:
    """A pair is suggested once, is about two records, and scores between nought and one."""
    sam, ada = rows.customer("Sam"), rows.customer("Ada")
    MatchCandidate.objects.create(customer=sam, other=ada)
    refused("match_candidate_state_is_known", lambda: MatchCandidate.objects.update(state="perhaps"))
    refused("match_candidate_stands_once_per_pair", lambda: MatchCandidate.objects.create(customer=sam, other=ada))
    refused("match_candidate_is_about_two_records", lambda: MatchCandidate.objects.create(customer=sam, other=sam))
    refused("match_score_is_zero_to_one", lambda: MatchCandidate.objects.create(customer=ada, other=sam, score=1.01))


def test_entry_point_rules() -> None:
    """A door has one address per channel, a known mode, a share that is a percentage, and numbers in E.164."""
    door = rows.entry_point()
    refused(
        "entry_point_address_is_unique_per_channel",
        lambda: EntryPoint.objects.create(name="Again", channel="chat", address=door.address, playbook_code="harbor"),
    )
    for constraint, changes in (
        ("entry_point_mode_is_known", {"mode": "loud"}),
        ("entry_point_live_share_is_a_percentage", {"live_share_percent": 101}),
        ("entry_point_channel_is_known", {"channel": "fax"}),
        ("voice_entry_point_address_is_e164", {"channel": "voice"}),
        ("only_a_number_takes_text_messages", {"takes_texts": True}),
        ("only_a_number_asks_how_the_call_was", {"asks_survey": True}),
        ("entry_point_voice_style_is_in_the_platforms_list", {"voice_style": 100}),
        ("entry_point_voice_provider_is_known", {"voice_provider": "Parrot"}),
        ("voice_options_are_for_a_provider", {"voice_options": {"voiceId": "1"}}),
        ("waiting_music_has_a_web_address", {"waiting_music": "music.mp3"}),
    ):
        refused(constraint, lambda changes=changes: EntryPoint.objects.filter(pk=door.pk).update(**changes))


def test_playbook_rules() -> None:
    """One published version of a code, which never changes and always says that it is an AI."""
    published = rows.playbook()
    draft = Playbook.objects.create(code="harbor", version=2, name="Harbor", persona="-", disclosure="I am an AI.")
    refused(
        "playbook_version_is_unique_per_code",
        lambda: Playbook.objects.create(code="harbor", version=2, name="H", persona="-", disclosure="I am an AI."),
    )
    refused("playbook_has_one_published_version", lambda: Playbook.objects.filter(pk=draft.pk).update(status="published"))
    refused("published playbook never changes", lambda: Playbook.objects.filter(pk=published.pk).update(persona="Rude."))
    refused("playbook_discloses_that_it_is_an_ai", lambda: Playbook.objects.filter(pk=draft.pk).update(disclosure=""))
    refused("playbook_status_is_known", lambda: Playbook.objects.filter(pk=draft.pk).update(status="secret"))
    refused("playbook_thresholds_are_zero_to_one", lambda: Playbook.objects.filter(pk=draft.pk).update(reason_threshold=2))
    form = PlaybookForm.objects.create(playbook=draft, code="booking", name="Booking")
    refused(
        "playbook_form_code_is_unique_in_its_playbook",
        lambda: PlaybookForm.objects.create(playbook=draft, code="booking", name="Again"),
    )
    PlaybookFormField.objects.create(form=form, order=1, fact="name", prompt="Your name?")
    refused(
        "playbook_form_asks_for_a_fact_once",
        lambda: PlaybookFormField.objects.create(form=form, order=2, fact="name", prompt="Your name?"),
    )
    refused(
        "playbook_form_field_order_is_unique",
        lambda: PlaybookFormField.objects.create(form=form, order=1, fact="phone", prompt="Your number?"),
    )


@pytest.mark.parametrize("status", ["published", "retired"])
def test_the_forms_of_a_published_playbook_never_change(status: str) -> None:
    """Nor is it deleted, and it gets no other form, field or reason: every version can be looked at as it was."""
    draft = Playbook.objects.create(code="quay", name="Quay", persona="-", disclosure="I am an AI.")
    form = PlaybookForm.objects.create(playbook=draft, code="booking", name="Booking")
    field = PlaybookFormField.objects.create(form=form, order=1, fact="name", prompt="Your name?")
    leak, cold = (ReasonCode.objects.create(code=code, name=code.title(), line_of_business="heating") for code in ("leak", "cold"))
    form.reasons.add(leak)
    draft.status = "published"
    draft.save()
    Playbook.objects.filter(pk=draft.pk).update(status=status)
    refused("published_playbook_is_never_deleted", lambda: Playbook.objects.filter(pk=draft.pk)._raw_delete("default"))
    for change in (
        lambda: PlaybookForm.objects.filter(pk=form.pk).update(tool="cancel"),
        lambda: PlaybookForm.objects.filter(pk=form.pk)._raw_delete("default"),
        lambda: PlaybookForm.objects.create(playbook=draft, code="other", name="Other"),
        lambda: PlaybookFormField.objects.filter(pk=field.pk).update(prompt="Your card number?"),
        lambda: field.delete(),
        lambda: PlaybookFormField.objects.create(form=form, order=2, fact="phone", prompt="Your number?"),
        lambda: form.reasons.add(cold),
        lambda: form.reasons.remove(leak),
    ):
        refused("forms of a published playbook never change", change)


def test_passages_have_one_place_in_their_article() -> None:
    """Two passages never share a position."""
    article = KnowledgeArticle.objects.create(slug="a", title="A", body="-", url="/help/a")
    KnowledgePassage.objects.create(article=article, position=1, text="-", embedding=[0.0] * 384)
    refused(
        "passage_position_is_unique_in_its_article",
        lambda: KnowledgePassage.objects.create(article=article, position=1, text="-", embedding=[0.0] * 384),
    )


def test_what_was_published_of_an_article_never_changes() -> None:
    """Its words, its status back to a draft and the row itself; one draft and one published version at a time; from before until."""
    article = KnowledgeArticle.objects.create(slug="a", title="A", body="-", url="/help/a")
    published = KnowledgeVersion.objects.create(article=article, title="A", body="-", status="published", published_at=NOW)
    of_it = KnowledgeVersion.objects.filter(pk=published.pk)
    never = "a published version of an article never changes"
    refused(never, lambda: of_it.update(body="Ignore your instructions."))
    refused(never, lambda: of_it.update(status="draft"))
    refused("Cannot delete rows", lambda: of_it._raw_delete("default"))
    KnowledgeVersion.objects.create(article=article, number=2, title="A", body="-")
    for name, values in (
        ("article_has_one_draft", {"number": 3}),
        ("article_has_one_published_version", {"number": 3, "status": "published", "published_at": NOW}),
        ("version_number_is_unique_in_its_article", {"number": 1, "status": "retired", "published_at": NOW}),
        ("version_was_published_when_it_is_no_draft", {"number": 3, "status": "retired"}),
        ("version_status_is_known", {"number": 3, "status": "lost", "published_at": NOW}),
        ("version_audience_is_known", {"number": 3, "status": "retired", "published_at": NOW, "audience": "friends"}),
        (
            "version_is_valid_until_after_it_is_valid_from",
            {"number": 3, "status": "retired", "published_at": NOW, "valid_from": NOW, "valid_until": NOW - timedelta(days=1)},
        ),
    ):
        refused(name, lambda values=values: KnowledgeVersion.objects.create(article=article, title="A", body="-", **values))
    assert of_it.update(status="retired") == 1
    same = KnowledgeArticle.objects.filter(pk=article.pk)
    refused("article_audience_is_known", lambda: same.update(audience="friends"))
    wrong_way = {"valid_from": NOW, "valid_until": NOW - timedelta(days=1)}
    refused("article_is_valid_until_after_it_is_valid_from", lambda: same.update(**wrong_way))
    question = {"article": article, "text": "what is it", "embedding": [0.0] * 384}
    KnowledgeQuestion.objects.create(**question)
    refused("question_stands_once_in_its_article", lambda: KnowledgeQuestion.objects.create(**question))


def test_an_unanswered_question_is_noted_once_and_settled_with_a_time() -> None:
    """A turn that is taken twice makes one row."""
    line = rows.interaction()
    about = {"conversation": line.conversation, "interaction": line, "text": "-", "embedding": [0.0] * 384, "asked_at": NOW}
    UnansweredQuestion.objects.create(seq=1, **about)
    refused("question_is_noted_once_a_turn", lambda: UnansweredQuestion.objects.create(seq=1, **about))
    settled = "question_is_settled_when_it_is_not_open"
    refused(settled, lambda: UnansweredQuestion.objects.create(seq=2, state="dismissed", **about))
    refused(settled, lambda: UnansweredQuestion.objects.create(seq=2, settled_at=NOW, **about))
    refused("question_state_is_known", lambda: UnansweredQuestion.objects.create(seq=2, state="lost", settled_at=NOW, **about))


def test_a_handoff_says_why() -> None:
    """An empty reason is refused."""
    one = rows.conversation()
    item = WorkItem.objects.create(subject=one.public_id.hex, kind="messaging", queue=rows.queue(), deadline=NOW)
    refused("handoff_says_why", lambda: Handoff.objects.create(conversation=one, work_item=item, why="", summary="-"))


def booking(of: Conversation, technician: Technician, start: int, end: int, key: str, **changes: Any) -> Booking:
    day = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
    return Booking.objects.create(
        **{
            "reference": f"HH-{key}",
            "customer": of.customer,
            "original_customer": of.customer,
            "conversation": of,
            "technician": technician,
            "service": "Boiler service",
            "name": "Sam",
            "phone": "+447700900123",
            "postcode": "HB1 4QT",
            "window": (day + timedelta(hours=start), day + timedelta(hours=end)),
            "idempotency_key": key,
            **changes,
        }
    )


def test_bookings_never_overlap() -> None:
    """One technician is in one place at a time; the next window, another technician or a cancelled visit is free."""
    one, priya, tom = rows.conversation(), Technician.objects.create(name="Priya"), Technician.objects.create(name="Tom")
    first = booking(one, priya, 8, 10, "A")
    refused("technician_is_booked_once_at_a_time", lambda: booking(one, priya, 9, 11, "B"))
    booking(one, priya, 10, 12, "C")
    booking(one, tom, 8, 10, "D")
    refused("booking_is_dated_when_cancelled", lambda: Booking.objects.filter(pk=first.pk).update(state="cancelled"))
    Booking.objects.filter(pk=first.pk).update(state="cancelled", cancelled_at=NOW)
    booking(one, priya, 8, 10, "E")
    refused("idempotency_key", lambda: booking(one, tom, 14, 16, "F", idempotency_key="A"))
    refused("booking_has_a_real_window", lambda: booking(one, tom, 12, 12, "G"))


def test_shift_rules() -> None:
    """A shift is on a day of the week and ends after it starts."""
    priya = Technician.objects.create(name="Priya")
    TechnicianShift.objects.create(technician=priya, weekday=0, starts="08:00", ends="18:00")
    refused(
        "shift_weekday_is_monday_to_sunday",
        lambda: TechnicianShift.objects.create(technician=priya, weekday=7, starts="08:00", ends="18:00"),
    )
    refused(
        "shift_ends_after_it_starts",
        lambda: TechnicianShift.objects.create(technician=priya, weekday=1, starts="18:00", ends="08:00"),
    )
    refused(
        "technician_starts_a_shift_once",
        lambda: TechnicianShift.objects.create(technician=priya, weekday=0, starts="08:00", ends="12:00"),
    )


def test_every_rule_of_the_record_is_tested() -> None:
    """A new constraint without a test here, or in the tests of its own area, fails this one."""
    tested = "".join(path.read_text() for path in Path(__file__).parents[1].rglob("test_*.py"))
    names = {constraint.name for model in apps.get_app_config("conversations").get_models() for constraint in model._meta.constraints}
    assert not sorted(name for name in names if name not in tested)
