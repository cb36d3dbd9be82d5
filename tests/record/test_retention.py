"""What goes after its time, and what a legal hold keeps."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from conversations import tasks
from conversations.chat import visitor
from conversations.models import (
    ChatLink,
    ChatSessionRecord,
    Conversation,
    Entry,
    Handoff,
    Interaction,
    JoinCode,
    OneTimeCode,
    RetentionRule,
    RetentionRun,
    WebhookRecord,
)
from conversations.services import facts, holds, joining, recordings, retention, threads, timeline, transport
from conversations.services.facts import LearnedFact
from conversations.services.recordings import Finished
from conversations.services.timeline import NewEntry
from routing.models import Decision, WorkItem
from routing.selectors.history import changes_of
from tests.record import parties, rows
from tests.support import triggers

pytestmark = pytest.mark.usefixtures("company")
OLD = timedelta(days=100)


@pytest.fixture(autouse=True)
def no_rules(company: object) -> None:
    """The rules that a new installation has are not what these tests are about."""
    RetentionRule.objects.all().delete()


def rule(kind: str, keep_days: int | None = 90) -> RetentionRule:
    return RetentionRule.objects.create(kind=kind, keep_days=keep_days)


def chat(text: str = "My boiler is cold") -> Interaction:
    """A chat that is over, in a closed conversation."""
    line = parties.chat(visitor.new())
    parties.says(line, text)
    facts.learn(line.conversation, [LearnedFact("name", "Sam")], interaction=line, from_seq=1)
    threads.close(line.conversation, actor_kind="system", actor_name="", disposition=None)
    return line


def call(text: str = "My boiler is cold") -> Interaction:
    line = parties.call()
    parties.says(line, text)
    threads.end_interaction(line, reason="completed")
    threads.close(line.conversation, actor_kind="system", actor_name="", disposition=None)
    return line


def grow_old() -> None:
    """Everything happened a hundred days ago. Entries never change, so their times are set with the trigger away."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE conversations_entry DISABLE TRIGGER USER")
        cursor.execute("ALTER TABLE routing_decision DISABLE TRIGGER USER")
        cursor.execute("UPDATE conversations_entry SET recorded_at = now() - %s", [OLD])
        cursor.execute("UPDATE routing_decision SET decided_at = now() - %s", [OLD])
        cursor.execute("ALTER TABLE conversations_entry ENABLE TRIGGER USER")
        cursor.execute("ALTER TABLE routing_decision ENABLE TRIGGER USER")
    then = timezone.now() - OLD
    Conversation.objects.filter(status="closed").update(closed_at=then)
    Handoff.objects.update(requested_at=then)
    with triggers.ignored("conversations.WebhookRecord:webhooks_are_append_only"):
        WebhookRecord.objects.update(received_at=then)
    ChatSessionRecord.objects.update(last_seen_at=then)
    OneTimeCode.objects.update(sent_at=then)
    JoinCode.objects.update(created_at=then)
    ChatLink.objects.update(sent_at=then)


def words(line: Interaction) -> list[str]:
    return list(Entry.objects.filter(interaction=line, kind="message").values_list("body", flat=True))


def test_nothing_goes_without_a_rule() -> None:
    """Neither without one nor with one that has no days."""
    line = chat()
    rule("chat_messages", None)
    grow_old()
    assert retention.apply().counts == {}
    assert words(line) == ["My boiler is cold"]


def test_the_words_of_one_channel_go_after_their_time() -> None:
    """With what was understood of them; the other channel's stay, and so does that it happened."""
    typed, spoken = chat(), call()
    rule("chat_messages")
    grow_old()
    entries = Entry.objects.count()
    retention.apply()
    assert (words(typed), words(spoken)) == ([""], ["My boiler is cold"])
    typed.conversation.refresh_from_db()
    assert typed.conversation.facts == {}
    assert Entry.objects.get(kind="message", interaction=typed).redaction_reason == "Kept long enough"
    assert Entry.objects.count() == entries


def test_what_is_young_or_open_stays() -> None:
    """An open conversation is still needed, however old it is."""
    open_one = parties.chat(visitor.new())
    parties.says(open_one, "Still waiting")
    rule("chat_messages")
    grow_old()
    young = chat("Just now")
    retention.apply()
    assert (words(open_one), words(young)) == (["Still waiting"], ["Just now"])


def test_a_hold_keeps_what_the_rules_would_take() -> None:
    """Of that customer alone, and until it is lifted."""
    held, free = chat("held"), chat("free")
    hold = holds.place(held.conversation.customer, reason="Dispute 12", by="maya")
    for kind in RetentionRule.Kind:
        rule(kind)
    grow_old()
    retention.apply()
    assert (words(held), words(free)) == (["held"], [""])
    holds.lift(hold, by="maya")
    retention.apply()
    assert words(held) == [""]


@pytest.mark.parametrize("kind", list(RetentionRule.Kind))
def test_every_rule_takes_its_own_kind_once(kind: str) -> None:
    """A second night finds nothing, and a dry run before counts what the first one takes."""
    line = chat()
    spoken = call()
    for each in (line, spoken):
        timeline.append(each.conversation_id, NewEntry("tool.called", "assistant", data={"arguments": {"name": "Sam"}}, interaction=each))
        work = WorkItem.objects.create(
            subject=each.conversation.public_id.hex, kind="messaging", queue=rows.queue(), deadline=timezone.now(), state="completed",
            ended_at=timezone.now(),
        )  # fmt: skip
        Handoff.objects.create(conversation=each.conversation, interaction=each, work_item=work, why="Sam asked", summary="Sam")
        timeline.append(each.conversation_id, NewEntry("callback.requested", "system", data={"phone": "+447700900123"}, audience="staff"))
    recordings.note(spoken, Finished("r-1", "https://api.nexmo.com/v1/files/a", timezone.now() - OLD, 42))
    rows.decision(need={"facts": {"postcode": "HB1"}})
    transport.record_webhook(token_id="1", body_hash="a", kind="event", provider_id=spoken.provider_id, body={"from": "44", "status": "x"})
    transport.record_chat_session(session_id=line.provider_id, entry_point_address="/harborhome", visitor=line.party)
    joining.issue_code(line)
    ChatLink.objects.create(interaction=spoken, value=spoken.party, token_hash="a" * 64, expires_at=timezone.now())
    AccessAttempt.objects.create(username="ann", ip_address="127.0.0.1", failures_since_start=1)
    grow_old()
    AccessAttempt.objects.update(attempt_time=timezone.now() - OLD)
    rule(kind)
    would = retention.would_go()
    assert would[kind] >= 1
    assert retention.would_go() == would
    assert retention.apply().counts == would
    assert retention.apply().counts == {kind: 0}
    assert ChatLink.objects.exists() is (kind != "codes")


def test_codes_and_decisions_go_and_the_rest_is_matched_as_before() -> None:
    """A chat session and its interaction get the same new name, so that reports find them together."""
    line = chat()
    transport.record_chat_session(session_id=line.provider_id, entry_point_address="/harborhome", visitor=line.party)
    joining.issue_code(line)
    decision = rows.decision(need={"facts": {"postcode": "HB1"}})
    for kind in ("chat_sessions", "codes", "decisions"):
        rule(kind)
    grow_old()
    retention.apply()
    line.refresh_from_db()
    session = ChatSessionRecord.objects.get()
    assert (session.session_id, session.visitor, line.party) == (line.provider_id, "", "")
    assert not JoinCode.objects.exists()
    assert Decision.objects.get(pk=decision.pk).need == {"facts": {}}


def test_the_nightly_task_leaves_a_report() -> None:
    chat()
    rule("chat_messages")
    grow_old()
    tasks.apply_retention()
    run = RetentionRun.objects.get()
    assert run.finished_at
    assert run.counts["chat_messages"] >= 1


def test_a_dry_run_says_what_would_go_and_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    line = chat()
    rule("chat_messages")
    grow_old()
    call_command("apply_retention", "--dry-run")
    assert "would go" in capsys.readouterr().out
    assert words(line) == ["My boiler is cold"]
    assert not RetentionRun.objects.exists()
    call_command("apply_retention")
    assert "gone" in capsys.readouterr().out
    assert words(line) == [""]


def test_without_rules_the_command_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("apply_retention", "--dry-run")
    assert "No rule says" in capsys.readouterr().out


def test_every_change_of_a_rule_is_kept() -> None:
    """By the database, whoever makes it."""
    kept = rule("webhooks", 90)
    RetentionRule.objects.filter(pk=kept.pk).update(keep_days=30)
    newest = changes_of(RetentionRule, kept.pk)[0]
    assert [(each.before, each.after) for each in newest.differences] == [("90", "30")]
