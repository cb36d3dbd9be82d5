"""The question after a call with a person: by key or by voice, in the language of the call; then goodbye, or what else the caller wants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client

from conversations.admin.entry_point import EntryPointForm
from conversations.models import Conversation, Entry, EntryPoint
from conversations.understanding.marks import mark_in
from reporting.figure import measure
from reporting.metrics import METRICS
from reporting.period import Period
from routing.models import DispositionCode, WorkItem
from tests.voice.people import Line
from tests.voice.platform import post, words_of

QUESTION = "From 1 to 5, was Ann of help?"


@pytest.fixture
def left(line: Line, number: EntryPoint) -> Iterator[Line]:
    """Ann has talked with the caller and hung up; the caller stays."""
    EntryPoint.objects.filter(pk=number.pk).update(asks_survey=True, survey_questions={"en": QUESTION})
    line.accept("Ann")
    line.picks_up("Ann")
    line.word("completed")
    yield line
    EntryPoint.objects.filter(pk=number.pk).update(asks_survey=False, survey_questions={})


def given(line: Line, body: dict[str, Any]) -> list[dict[str, Any]]:
    return list(post("/voice/input/", body).json())


def answers() -> list[dict[str, Any]]:
    return [entry.data for entry in Entry.objects.filter(kind="survey.answered")]


def test_the_caller_who_stays_is_asked_once(left: Line) -> None:
    """In the number's own words, and listened to without music; the next person who leaves asks nothing more."""
    asked = left.platform.told(left.caller.uuid)[-1]
    assert words_of(asked).startswith(f"Ann has left the call. {QUESTION}")
    assert [action["action"] for action in asked[:4]] == ["talk", "input", "talk", "input"]
    assert Entry.objects.get(kind="survey.asked").body == QUESTION
    left.picks_up("Ann")
    left.word("completed")
    assert "Is there anything else" in left.platform.said_to(left.caller)[-1]
    assert QUESTION not in left.platform.said_to(left.caller)[-1]
    assert Entry.objects.filter(kind="survey.asked").count() == 1


@pytest.mark.parametrize(("what", "method"), [("4", "keyed"), ("I would say four out of five", "said")])
def test_a_mark_stands_in_the_history_and_in_the_report(left: Line, what: str, method: str) -> None:
    """Once, however often the platform tells of it; then silence ends the call."""
    body = left.caller.keyed(what) if method == "keyed" else left.caller.said(what)
    for _each in range(2):
        assert words_of(given(left, body)).startswith("Thank you for your answer. Is there anything else?")
    assert answers() == [{"mark": 4, "highest": 5, "method": method, "agent": left.agents["Ann"].pk}]
    assert Entry.objects.get(kind="survey.answered").body == "4 of 5 for the call with Ann."
    found = measure(METRICS["content_callers"], Period.ending_today(1))
    assert (found.numerator, found.denominator) == (1, 1)
    assert [action["action"] for action in given(left, left.caller.silent())] == ["talk"]
    assert not Entry.objects.filter(kind="message", body="4").exists()


@pytest.mark.parametrize("before", [[], ["3"]], ids=["instead of a mark", "after it"])
def test_what_else_the_caller_says_is_served(left: Line, before: list[str]) -> None:
    """The AI agent has the call back, and finds somebody for what it may not do itself; Ann's work is done."""
    for key in before:
        given(left, left.caller.keyed(key))
    assert "They can see what you told me" in words_of(given(left, left.caller.said("I also want to book a visit for five people")))
    assert Conversation.objects.get().owner_kind == Conversation.Owner.ASSISTANT
    assert sorted(WorkItem.objects.values_list("state", flat=True)) == ["completed", "reserved"]
    assert [each["mark"] for each in answers()] == [3 for _each in before]
    assert Entry.objects.filter(kind="message", actor_kind="customer", body__contains="book a visit").exists()
    assert given(left, left.caller.silent())[1]["action"] == "stream", "the survey is over, and the line is held"


def test_silence_and_wrong_keys_ask_once_more_and_then_end(left: Line) -> None:
    assert QUESTION in words_of(given(left, left.caller.keyed("9")))
    ended = given(left, left.caller.silent())
    assert [action["action"] for action in ended] == ["talk"]
    assert (answers(), "Goodbye" in words_of(ended)) == ([], True)


def test_a_conversation_that_was_closed_meanwhile_still_takes_the_mark(left: Line) -> None:
    """The person writes up while the caller thinks: no goodbye cuts the question off."""
    told = len(left.platform.told(left.caller.uuid))
    solved, _made = DispositionCode.objects.get_or_create(code="done", defaults={"name": "Done"})
    assert left.client("Ann").post(left.page("close"), {"disposition": solved.pk}).status_code < 400
    left.call.conversation.refresh_from_db()
    assert left.call.conversation.status == "closed"
    assert len(left.platform.told(left.caller.uuid)) == told
    assert words_of(given(left, left.caller.keyed("5"))) == "Thank you for your answer. Goodbye."
    assert [each["mark"] for each in answers()] == [5]


def test_ours_is_asked_in_the_language_of_the_call(line: Line, number: EntryPoint) -> None:
    """Where the number has no words of its own for it."""
    EntryPoint.objects.filter(pk=number.pk).update(asks_survey=True, survey_questions={"en": QUESTION})
    try:
        line.accept("Ann")
        line.picks_up("Ann")
        Conversation.objects.filter(pk=line.call.conversation_id).update(language="es")
        line.word("completed")
        assert "del 1 al 5" in line.platform.said_to(line.caller)[-1]
        assert "cinco" not in words_of(given(line, line.caller.said("un cuatro")))
        assert [each["mark"] for each in answers()] == [4]
    finally:
        EntryPoint.objects.filter(pk=number.pk).update(asks_survey=False, survey_questions={})


@pytest.mark.parametrize(
    ("said", "mark"),
    [
        ("four", 4), ("for", 4), ("a three please", 3), ("5", 5), ("five stars", 5), ("cuatro de cinco", 4), ("le doy un cinco", 5),
        ("ten", None), ("four or five", None), ("I want to come at five", None), ("to book a visit", None), ("", None),
    ],
)  # fmt: skip
def test_only_a_plain_mark_is_one(said: str, mark: int | None) -> None:
    assert mark_in(said) == mark


def test_the_question_is_set_in_the_admin(number: EntryPoint) -> None:
    """A language that nobody speaks here and a question that is too long are refused; a web path asks nothing."""
    client = Client()
    client.force_login(User.objects.get_or_create(username="manager-of-numbers", defaults={"is_staff": True, "is_superuser": True})[0])
    page = client.get(f"/admin/conversations/entrypoint/{number.pk}/change/").content.decode()
    assert "the automated voice asks one question" in page
    assert "Question after a call with a person" in page
    form = EntryPointForm(instance=number)
    for wrong in ({"fr": "De 1 à 5 ?"}, {"en": "x" * 301}):
        form.cleaned_data = {"survey_questions": wrong}
        with pytest.raises(ValidationError):
            form.clean_survey_questions()
    with pytest.raises(IntegrityError), transaction.atomic():
        EntryPoint.objects.filter(pk=number.pk).update(channel="chat", asks_survey=True)
