"""Figures on rows whose answers are known."""

from collections.abc import Iterator
from datetime import UTC, date, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conversations.models import Interaction, MatchCandidate, WebhookRecord
from reporting.figure import Figure, measure, text_of
from reporting.metrics import METRICS
from reporting.metrics.routing_consistency import flipped
from reporting.period import InvalidPeriod, Period
from reporting.reconcile import mismatches
from routing.models import ChannelException
from routing.need import Need
from tests.reporting import cast
from tests.reporting.cast import NOON

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
TO_PEOPLE = {"handler": "human", "queue": "service", "priority_class": 2}


@pytest.fixture(autouse=True)
def wednesday_evening() -> Iterator[None]:
    with time_machine.travel(NOON + timedelta(hours=8), tick=True):
        yield


def figure(code: str, days: int = 7) -> Figure:
    return measure(METRICS[code], Period.ending_today(days))


def rows(code: str, days: int = 7) -> list[list[object]]:
    return [[cell.value for cell in row] for row in METRICS[code].rows(Period.ending_today(days)).rows()]


def counted(code: str) -> tuple[float, int | None]:
    found = figure(code)
    return found.numerator, found.denominator


class TestDuplicateConversations:
    def test_a_call_about_the_need_of_an_open_chat_is_a_cross_channel_duplicate(self):
        """It happens when two records of one person are joined after both were contacted."""
        mary = cast.customer()
        first = cast.conversation(mary, NOON, closed_after=MINUTE, reason=cast.reason())
        second = cast.conversation(mary, NOON + 2 * MINUTE, reason=cast.reason())
        cast.chat(first)
        cast.call(second)
        assert counted("duplicate_conversations") == (1, 2)
        assert counted("duplicate_conversations_same_channel") == (0, 2)
        ((_customer, conversation, *_rest, repeats, _status),) = rows("duplicate_conversations")
        assert (conversation, repeats) == (f"Conversation {second.pk}", f"Conversation {first.pk}")

    def test_the_same_channel_again_is_counted_apart(self):
        mary = cast.customer()
        for at in (NOON, NOON + MINUTE):
            cast.chat(cast.conversation(mary, at, closed_after=timedelta(seconds=30), reason=cast.reason()))
        assert counted("duplicate_conversations") == (0, 2)
        assert counted("duplicate_conversations_same_channel") == (1, 2)

    @pytest.mark.parametrize(
        ("closed_before", "duplicates"), [(7 * DAY - MINUTE, 1), (7 * DAY + MINUTE, 0)], ids=["in the window", "after it"]
    )
    def test_a_conversation_closed_a_week_ago_counts_no_longer(self, closed_before, duplicates):
        mary = cast.customer()
        opened = NOON - closed_before - MINUTE
        cast.chat(cast.conversation(mary, opened, closed_after=MINUTE, reason=cast.reason()))
        cast.call(cast.conversation(mary, NOON, reason=cast.reason()))
        assert figure("duplicate_conversations", days=1).numerator == duplicates

    def test_another_reason_another_customer_or_no_reason_is_no_duplicate(self):
        mary, john = cast.customer(), cast.customer("John")
        cast.chat(cast.conversation(mary, NOON, closed_after=MINUTE, reason=cast.reason("quote")))
        cast.call(cast.conversation(mary, NOON + 2 * MINUTE, closed_after=MINUTE, reason=cast.reason("billing")))
        cast.call(cast.conversation(john, NOON + 2 * MINUTE, reason=cast.reason("quote")))
        cast.chat(cast.conversation(mary, NOON + 4 * MINUTE, closed_after=MINUTE))
        cast.call(cast.conversation(mary, NOON + 6 * MINUTE))
        assert counted("duplicate_conversations") == (0, 5)

    def test_a_conversation_joined_with_the_earlier_one_is_no_duplicate(self):
        mary = cast.customer()
        first = cast.conversation(mary, NOON, reason=cast.reason())
        cast.chat(first)
        cast.call(cast.conversation(mary, NOON + MINUTE, reason=cast.reason(), joined_into=first))
        assert counted("duplicate_conversations") == (0, 2)

    def test_an_earlier_conversation_that_goes_on_in_this_one_makes_no_duplicate(self):
        mary = cast.customer()
        second = cast.conversation(mary, NOON + MINUTE, reason=cast.reason())
        cast.chat(cast.conversation(mary, NOON, reason=cast.reason(), joined_into=second))
        cast.call(second)
        assert counted("duplicate_conversations") == (0, 2)

    def test_an_open_match_candidate_makes_a_possible_duplicate_until_it_is_dismissed(self):
        mary, unknown = cast.customer(), cast.customer("")
        cast.chat(cast.conversation(mary, NOON, reason=cast.reason()))
        cast.call(cast.conversation(unknown, NOON + MINUTE, reason=cast.reason()))
        candidate = MatchCandidate.objects.create(customer=unknown, other=mary)
        assert counted("possible_duplicates") == (1, 2)
        assert counted("duplicate_conversations") == (0, 2)
        MatchCandidate.objects.filter(pk=candidate.pk).update(state="dismissed")
        assert counted("possible_duplicates") == (0, 2)


class TestJourneyAccuracy:
    def test_everything_recorded_right_is_all_of_it(self):
        talk = cast.conversation(cast.customer())
        cast.chat(talk)
        cast.call(talk)
        cast.call(talk, seconds=None)
        assert figure("journey_accuracy").text == "100 %"
        assert figure("journey_completeness").value == 1
        assert figure("phantom_interactions").numerator == 0
        assert counted("field_agreement") == (6, 6)

    def test_a_missing_interaction_is_found(self):
        talk = cast.conversation(cast.customer())
        cast.chat(talk)
        lost_chat = cast.chat(talk, recorded=False)
        lost_call = cast.call(talk, recorded=False)
        assert counted("journey_accuracy") == (1, 3)
        assert counted("journey_completeness") == (1, 3)
        assert {row[2] for row in rows("journey_completeness")} == {lost_chat, lost_call}

    def test_a_call_that_was_turned_away_is_no_contact(self):
        """At a number that is no entry point a caller hears so and is not listened to; nothing is missing in the record."""
        talk = cast.conversation(cast.customer())
        for answer in ([{"action": "talk", "text": "This number is not in service."}], {"refused": "the body names no call"}):
            turned_away = cast.call(talk, recorded=False)
            WebhookRecord.objects.filter(provider_id=turned_away, kind="answer").update(answer=answer, answered_at=cast.NOON)
        listened_to = cast.call(talk, recorded=False)
        WebhookRecord.objects.filter(provider_id=listened_to, kind="answer").update(
            answer=[{"action": "talk"}, {"action": "input"}], answered_at=cast.NOON
        )
        assert counted("journey_completeness") == (0, 1)

    def test_an_interaction_no_transport_saw_is_a_phantom(self):
        talk = cast.conversation(cast.customer())
        cast.chat(talk)
        invented = cast.call(talk, raw=False)
        assert counted("journey_accuracy") == (1, 2)
        assert counted("phantom_interactions") == (1, 2)
        assert counted("journey_completeness") == (1, 1)
        assert rows("phantom_interactions")[0][2] == invented

    def test_a_repeated_answer_webhook_is_one_call(self):
        talk = cast.conversation(cast.customer())
        call_id = cast.call(talk)
        cast.webhook(call_id, "answer", NOON + timedelta(seconds=1), {"uuid": call_id})
        assert counted("journey_accuracy") == (1, 1)

    def test_a_caller_who_gave_up_before_the_answer_is_a_call_too(self):
        """Only an event came. The legs to agents, which are outbound, are no calls of customers."""
        cast.webhook("gave-up", "event", NOON, {"status": "cancelled", "direction": "inbound"})
        cast.webhook("to-agent", "event", NOON, {"status": "completed", "direction": "outbound"})
        assert counted("journey_accuracy") == (0, 1)
        call_id = cast.call(cast.conversation(cast.customer()), raw=False, seconds=0, status="cancelled", answered_at=None)
        Interaction.objects.filter(provider_id=call_id).update(provider_id="gave-up")
        assert counted("journey_accuracy") == (1, 1)

    def test_a_session_recorded_on_the_other_channel_is_missing_and_a_phantom(self):
        talk = cast.conversation(cast.customer())
        session = cast.chat(talk)
        Interaction.objects.filter(provider_id=session).update(channel="voice", entry_point=cast.phone_door())
        assert counted("journey_accuracy") == (0, 2)

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"direction": "outbound"}, "Direction"),
            ({"answered_at": NOON + timedelta(seconds=3), "ended_at": NOON + timedelta(seconds=63)}, "Start"),
            ({"end_reason": "busy"}, "How it ended"),
            ({"ended_at": NOON + timedelta(seconds=63)}, "Length"),
        ],
    )
    def test_a_wrong_field_is_named_with_both_values(self, wrong, field):
        cast.call(cast.conversation(cast.customer()), **wrong)
        assert counted("field_agreement") == (3, 4)
        assert counted("journey_accuracy") == (0, 1)
        ((*_before, label, said, recorded),) = rows("field_agreement")
        assert label == field
        assert said != recorded

    def test_two_seconds_apart_still_agree(self):
        cast.call(
            cast.conversation(cast.customer()),
            answered_at=NOON + timedelta(seconds=2),
            ended_at=NOON + timedelta(seconds=64),
        )
        assert counted("field_agreement") == (4, 4)

    def test_a_call_the_record_has_not_ended_differs(self):
        cast.call(cast.conversation(cast.customer()), state="active", ended_at=None, end_reason="")
        assert rows("field_agreement")[0][4:] == ["How it ended", "completed", "not ended"]

    @pytest.mark.parametrize("junk", ["", "yesterday", "2026-02-31T12:00:00Z", "99999999999999999999"])
    def test_times_that_are_none_are_not_compared(self, junk):
        call_id = cast.call(cast.conversation(cast.customer()), raw=False)
        cast.webhook(call_id, "answer", NOON, {})
        cast.webhook(call_id, "event", NOON, {"status": "completed", "start_time": junk, "duration": "-5", "direction": "inbound"})
        assert counted("field_agreement") == (2, 2)

    def test_a_session_over_midnight_is_no_mismatch_on_either_day(self):
        talk = cast.conversation(cast.customer())
        session = cast.chat(talk, NOON.replace(hour=23, minute=59, second=59) - DAY)
        Interaction.objects.filter(provider_id=session).update(started_at=NOON.replace(hour=0))
        assert mismatches(Period.ending_today(1)) == []
        assert mismatches(Period.ending_today(7)) == []


class TestRoutingConsistency:
    def test_the_same_need_goes_the_same_way(self):
        cast.rules()
        cast.decision(urgency="emergency")
        cast.decision()
        assert counted("routing_consistency") == (2, 2)
        assert rows("routing_consistency") == []

    def test_flipping_changes_the_facts_that_name_a_channel_and_nothing_else(self):
        need = Need(urgency="high", facts={"way_in": "Chat", "line": "voice", "colour": "red"})
        assert flipped(need) == Need(urgency="high", facts={"way_in": "voice", "line": "chat", "colour": "red"})

    @pytest.mark.parametrize("cell", [{"facts.channel": '"x"'}, {"facts.way_in": '"voice"'}])
    def test_a_table_that_names_a_channel_is_consistent_in_nothing(self, cell):
        (fact,) = cell
        declared = ChannelException.objects.create(fact=fact, reason="A trial", declared_by=cast.manager())
        cast.rules(("By the way in", cell, TO_PEOPLE))
        cast.decision()
        assert counted("routing_consistency") == (1, 1)
        declared.delete()
        assert counted("routing_consistency") == (0, 1)
        assert "The table names a channel in row 2" in rows("routing_consistency")[0][-1]

    def test_a_stored_answer_that_the_table_no_longer_gives_is_a_difference(self):
        rule_set = cast.rules()
        made = cast.decision()
        type(made).objects.create(
            subject="other", need=made.need, rule_set=rule_set, rule=made.rule, handler="human", queue=cast.queue(), sentence="By hand"
        )
        assert counted("routing_consistency") == (1, 2)
        assert "handler: human → assistant" in rows("routing_consistency")[0][-1]

    def test_a_need_that_cannot_be_read_any_more_is_a_difference(self):
        rule_set = cast.rules()
        made = cast.decision()
        type(made).objects.create(
            subject="other", need={"colour": "red"}, rule_set=rule_set, rule=made.rule, handler="assistant", sentence="Old"
        )
        assert counted("routing_consistency") == (1, 2)


class TestVolumesAndService:
    def test_each_is_counted_on_its_day(self):
        talk = cast.conversation(cast.customer(), NOON - DAY)
        cast.chat(talk)
        cast.call(talk, NOON)
        cast.call(talk, NOON - 30 * DAY)
        cast.handoff(talk)
        cast.booking(talk)
        values = {code: figure(code).value for code in ("conversations", "chats", "calls", "handoffs", "bookings")}
        assert values == {"conversations": 1, "chats": 1, "calls": 1, "handoffs": 1, "bookings": 1}
        assert figure("conversations").daily == [0, 0, 0, 0, 0, 1, 0]
        assert figure("calls").daily[-1] == 1

    def test_messages_are_counted_when_they_were_recorded(self):
        """The database stamps them with its own clock, so this happens today."""
        really_now = time_machine.escape_hatch.datetime.datetime.now(UTC)
        with time_machine.travel(really_now + MINUTE, tick=False):
            talk = cast.conversation(cast.customer())
            cast.says(talk, "customer", "Hello")
            cast.says(talk, "assistant", "Good day")
            cast.says(talk, "agent", "Only for staff", kind="note", audience="staff")
            assert figure("messages", days=2).value == 2

    def test_half_a_day_is_compared_with_half_a_day(self):
        cast.conversation(cast.customer(), NOON - DAY)
        cast.conversation(cast.customer(), NOON - DAY + timedelta(hours=9))
        today = figure("conversations", days=1)
        assert (today.value, today.previous, today.change) == (0, 1, -1)

    def test_containment_leaves_out_what_a_person_saw(self):
        alone, helped, spoken, open_still = (cast.conversation(cast.customer(), closed_after=MINUTE) for _number in range(4))
        cast.handoff(helped, NOON)
        cast.says(spoken, "agent", "Ann here")
        type(open_still).objects.filter(pk=open_still.pk).update(status="open", closed_at=None)
        assert counted("containment") == (1, 3)
        assert [row[1] for row in rows("containment")] == [f"Conversation {alone.pk}"]

    def test_solved_alone_means_a_good_outcome_and_no_return(self):
        solved, unsolved = cast.outcome("solved"), cast.outcome("gave_up", resolved=False)
        for customer, disposition in ((cast.customer("Once"), solved), (cast.customer("Gave up"), unsolved)):
            cast.says(cast.conversation(customer, closed_after=MINUTE, disposition=disposition), "customer", "Hello")
        twice = cast.customer("Twice")
        first = cast.conversation(twice, NOON - DAY, closed_after=MINUTE, disposition=solved, reason=cast.reason())
        cast.says(first, "customer", "Hello")
        cast.conversation(twice, NOON, reason=cast.reason())
        assert counted("resolved_containment") == (1, 3)
        assert counted("containment") == (3, 3)

    def test_answered_in_time_counts_late_and_unanswered_but_not_what_may_still_be_in_time(self):
        people = [cast.conversation(cast.customer()) for _number in range(6)]
        cast.handoff(people[0], accepted_after=60)
        cast.handoff(people[1], accepted_after=61)
        cast.handoff(people[2])
        cast.handoff(people[3], canceled_after=30)
        cast.handoff(people[4], canceled_after=90)
        cast.handoff(people[5], NOON + timedelta(hours=8) - timedelta(seconds=10))
        assert counted("answered_in_time") == (1, 4)
        assert len(rows("answered_in_time")) == 3
        assert figure("time_to_person").value == pytest.approx(60.5)


class TestEveryFigure:
    @pytest.mark.parametrize("code", METRICS)
    def test_nothing_recorded_is_no_number_and_no_error(self, code):
        found = figure(code)
        assert found.text in ("–", "0")
        assert rows(code) == []

    @pytest.mark.parametrize("code", METRICS)
    def test_the_number_of_queries_does_not_grow_with_the_rows(self, code):
        cast.rules()

        def fill() -> None:
            person = cast.customer()
            for minutes in range(0, 20, 4):
                talk = cast.conversation(person, NOON + minutes * MINUTE, closed_after=MINUTE, reason=cast.reason())
                cast.chat(talk)
                cast.call(talk, NOON + minutes * MINUTE)
                cast.says(talk, "customer", "Hello")
                cast.handoff(talk, accepted_after=30)
                cast.booking(talk)
                cast.decision()

        fill()
        rows(code)
        counts = []
        for _round in range(2):
            with CaptureQueriesContext(connection) as queries:
                figure(code)
                rows(code)
            counts.append(len(queries))
            fill()
        assert counts[0] == counts[1]
        assert counts[0] <= 9

    def test_each_has_a_definition_and_a_page(self, client):
        client.force_login(cast.manager())
        for code, metric in METRICS.items():
            assert str(metric.definition)
            assert client.get(f"/reports/rows/{code}/").status_code == 200


class TestPeriod:
    def test_days_are_the_companys(self):
        door = cast.chat_door()
        type(door).objects.update(time_zone="America/New_York")
        period = Period.between(date(2026, 11, 1), date(2026, 11, 1))
        assert str(period.zone) == "America/New_York"
        assert period.ends_at - period.starts_at == timedelta(hours=24)
        assert (period.ends_at.utcoffset(), period.starts_at.utcoffset()) == (timedelta(hours=-5), timedelta(hours=-4))

    @pytest.mark.parametrize(
        ("first", "last", "said"),
        [
            (date(2026, 11, 2), date(2026, 11, 1), "Swap"),
            (date(2020, 1, 1), date(2026, 11, 1), "more than a year"),
            (date(2026, 12, 1), date(2026, 12, 2), "not begun"),
        ],
    )
    def test_what_makes_no_sense_is_refused_with_a_reason(self, first, last, said):
        with pytest.raises(InvalidPeriod, match=said):
            Period.between(first, last)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.99999, "share", "99.9 %"),
        (1.0, "share", "100 %"),
        (0.00001, "share", "0.1 %"),
        (0.0, "share", "0 %"),
        (0.125, "share", "12.5 %"),
        (1234, "count", "1,234"),
        (59.4, "seconds", "59 s"),
        (61, "seconds", "1 min 1 s"),
        (None, "share", "–"),
    ],
)
def test_a_share_is_all_or_nothing_only_when_it_is(value, unit, text):
    assert text_of(value, unit) == text
