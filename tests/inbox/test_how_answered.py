"""How an answer came about, beside the answer: for staff who may read the conversation, and for nobody else."""

from __future__ import annotations

import html
from datetime import timedelta

import pytest
import time_machine
from django.db import DatabaseError, transaction
from django.urls import reverse
from django.utils import timezone

from conversations.models import Conversation, Entry, Interaction, RetentionRule, TurnTrace
from conversations.services import retention, threads, timeline, turn_traces
from conversations.services.erasers import ERASERS
from conversations.services.personal_data import scope_of
from conversations.services.timeline import NewEntry
from tests.inbox.conftest import Cast

SAID = [{"content": [{"text": "<now>a canary</now>"}]}]
WORDS = {
    "request": {"playbook": "home v1", "tools": ["book"], "facts": "<facts>{}</facts>", "messages": SAID},
    "exchanges": [{"answer": [{"type": "text", "text": "We open."}], "request_id": "req_1", "ms": 420}, {"failed": "overloaded: 529"}],
    "calls": [{"tool": "search_knowledge", "arguments": {"query": "hours"}, "result": {"passages": []}, "error": "", "ms": 12}],
}


@pytest.fixture
def conversation(cast: Cast) -> Conversation:
    """A chat with an answer of the AI agent and its trace."""
    made = cast.chat()
    line = Interaction.objects.get(conversation=made)
    said = timeline.append(
        made.pk, NewEntry(kind="message", actor_kind="assistant", body="We open at eight.", interaction=line, source_id=f"turn:{made.pk}:2")
    )
    turn_traces.keep(
        TurnTrace(
            conversation=made, interaction=line, wanted_seq=2, reply_seq=said.seq, outcome="answered", answered_by="rules",
            model="claude-sonnet-5-5", fallback="overloaded", input_tokens=900, output_tokens=20, cache_read_tokens=4000, cost="0.0042",
            first_token_ms=310, model_ms=420, tools_ms=12, total_ms=460, words=WORDS,
        )
    )  # fmt: skip
    return made


def address_of(conversation: Conversation) -> str:
    """The dialog of the answer."""
    return reverse("inbox:how-answered", args=[Entry.objects.get(conversation=conversation, source_id__startswith="turn:").pk])


def test_staff_open_it_beside_the_answer(cast: Cast, conversation: Conversation) -> None:
    """The answer has a quiet button, and the dialog says who answered, why, and what it took; words in it are only text."""
    page = cast.client(cast.ann).get(reverse("inbox:conversation", args=[conversation.public_id])).content.decode()
    assert page.count(address_of(conversation)) == 1
    shown = cast.client(cast.ann).get(address_of(conversation)).content.decode()
    for words in ("provider was overloaded", "built-in rules answered", "460 ms", "4900, 4000", "0.0042", "search_knowledge", "req_1"):
        assert words in shown
    assert "&lt;now&gt;a canary" in shown
    assert "<now>" not in shown


def test_what_opens_shows_it_and_arguments_read_as_json(cast: Cast, conversation: Conversation) -> None:
    shown = html.unescape(cast.client(cast.ann).get(address_of(conversation)).content.decode())
    summaries = shown.split("<summary>")[1:]
    assert summaries
    assert all('class="icon turn"' in summary.split("</summary>")[0] for summary in summaries)
    assert '"query": "hours"' in shown
    assert "{'query'" not in shown


def test_an_answer_without_a_trace_says_so(cast: Cast, conversation: Conversation) -> None:
    """An entry that no turn made has nothing to show."""
    entry = Entry.objects.filter(conversation=conversation, kind="message").earliest("seq")
    shown = cast.client(cast.ann).get(reverse("inbox:how-answered", args=[entry.pk])).content.decode()
    assert "routing decided before it was asked" in shown
    assert cast.client(cast.ann).get(reverse("inbox:how-answered", args=[0])).status_code == 404
    assert cast.client(cast.stranger).get(address_of(conversation)).status_code == 404


def test_a_trace_never_changes_but_its_words_can_be_taken_out(cast: Cast, conversation: Conversation) -> None:
    """The database refuses every other change; an erasure and the rule for it leave the figures."""
    rows = TurnTrace.objects.filter(conversation=conversation)
    for change in ({"cost": 0}, {"words": {"other": 1}}, {"emptied_at": conversation.opened_at}):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.delete()
    unnamed = TurnTrace(conversation=conversation, interaction=rows[0].interaction, wanted_seq=2, outcome="answered", answered_by="model")
    with pytest.raises(DatabaseError), transaction.atomic():
        turn_traces.keep(unnamed)
    assert ERASERS["conversations.TurnTrace"](scope_of([conversation.customer_id])).count == 1
    kept = rows.get()
    assert (kept.words, kept.total_ms, kept.emptied_at is None) == ({}, 460, False)
    assert "has been removed" in cast.client(cast.ann).get(address_of(conversation)).content.decode()


def test_it_goes_with_what_the_agent_looked_up(cast: Cast, conversation: Conversation) -> None:
    """The rule for what the AI agent looked up empties traces of closed conversations after its time."""
    RetentionRule.objects.update_or_create(kind="tool_traces", defaults={"keep_days": 1})
    with time_machine.travel(timezone.now() + timedelta(days=3)):
        assert retention.apply().counts["tool_traces"] == 0, "it is open still"
        threads.close(conversation, actor_kind="system", actor_name="", disposition=None)
        assert retention.apply().counts["tool_traces"] >= 1
    assert TurnTrace.objects.get(conversation=conversation).words == {}
