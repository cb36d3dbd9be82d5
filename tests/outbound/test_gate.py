"""The gate before every call that we make: who may be rung, when, how often, and that nothing goes round it."""

from __future__ import annotations

import ast
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from conversations.models import CallingHours, CallingPolicy, CallingRegion, Conversation, DialAttempt, Entry, SubjectTalk
from conversations.models.calling_rules import CallPurpose
from conversations.selectors import calling_hours
from conversations.services import calling_rules, dial_attempts, dialing, merging, suppression
from conversations.services.delivery import NotRung
from conversations.voice import dialing as voice_dialing
from tests.outbound.calling import (
    asks_to_be_called_back,
    callable_customer,
    new_number,
    open_hours,
    policy,
    refusal_of,
    rung_before,
    says,
    wanted,
)
from tests.record import rows

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _always_open(transactional_db: None) -> None:
    open_hours()
    policy()


class TestConsent:
    def test_who_agreed_is_rung(self) -> None:
        assert refusal_of(wanted(*callable_customer())) == ""
        attempt = DialAttempt.objects.get()
        assert (attempt.ended_at, attempt.dialled_at, attempt.consent.decision) == (None, None, "given")
        assert "Europe/London" in attempt.zones

    def test_who_never_agreed_is_not(self) -> None:
        assert refusal_of(wanted(rows.customer(), new_number())) == "not_asked"

    @pytest.mark.parametrize(
        ("purpose", "code"),
        [("callback", ""), ("call_me", ""), ("reminder", "not_asked"), ("collection", "not_asked"), ("follow_up", "not_asked")],
    )
    def test_who_asked_to_be_called_back_is_called_back_and_not_about_something_else(self, purpose: str, code: str) -> None:
        """Whoever agreed to calls before they asked may be called as before."""
        policy(purpose)
        customer, number = rows.customer(), new_number()
        asks_to_be_called_back(customer, number)
        assert refusal_of(wanted(customer, number, purpose)) == code
        customer, number = callable_customer()
        asks_to_be_called_back(customer, number)
        assert refusal_of(wanted(customer, number, purpose)) == ""

    def test_a_request_lets_nothing_else_through_the_database_either(self) -> None:
        policy("callback")
        customer, number = rows.customer(), new_number()
        asks_to_be_called_back(customer, number)
        made = dialing.permit(wanted(customer, number, "callback"))
        DialAttempt.objects.update(ended_at=timezone.now(), outcome="no_answer")
        CallingPolicy.objects.create(purpose="reminder")
        names = ("customer", "original_customer", "number", "number_hash", "consent", "zones", "entry_point")
        copy = {name: getattr(made, name) for name in names}
        with pytest.raises(IntegrityError, match="no_consent"), transaction.atomic():
            DialAttempt.objects.create(**copy, purpose="reminder")

    @pytest.mark.parametrize(("purpose", "decision", "code"), [
        ("outbound_call", "revoked", "revoked"), ("outbound_call", "refused", "refused"), ("contact", "refused", "no_contact"),
    ])  # fmt: skip
    def test_a_later_no_counts(self, purpose: str, decision: str, code: str) -> None:
        customer, number = callable_customer()
        says(customer, purpose, decision)
        assert refusal_of(wanted(customer, number)) == code
        says(customer, purpose, "given")
        assert refusal_of(wanted(customer, number)) == ""

    def test_a_no_for_one_number_is_for_that_number(self) -> None:
        customer, number = callable_customer()
        says(customer, "outbound_call", "refused", number)
        assert refusal_of(wanted(customer, number)) == "refused"
        assert refusal_of(wanted(customer, new_number())) == ""

    def test_a_no_of_whoever_else_has_the_number_counts_until_a_later_yes(self) -> None:
        customer, number = callable_customer()
        other = rows.customer("Kim Lee")
        says(other, "outbound_call", "refused", number)
        assert refusal_of(wanted(customer, number)) == "refused_on_this_number"
        assert refusal_of(wanted(customer, new_number())) == ""
        says(customer, "outbound_call", "given", number)
        assert refusal_of(wanted(customer, number)) == ""

    def test_a_number_on_the_list_is_not_rung_whoever_has_it(self) -> None:
        customer, number = callable_customer()
        suppression.suppress("phone", number, reason="asked", added_by="Ann")
        assert refusal_of(wanted(customer, number)) == "suppressed"

    def test_offers_need_a_yes_of_their_own(self) -> None:
        customer, number = callable_customer()
        assert refusal_of(wanted(customer, number, offers=True)) == "no_offers"
        says(customer, "marketing", "given")
        assert refusal_of(wanted(customer, number, offers=True)) == ""

    def test_the_database_believes_no_yes_that_does_not_stand(self) -> None:
        """A row that names the yes of somebody else, or one that was taken back since, is refused by the trigger itself."""
        customer, number = callable_customer()
        somebody, _other = callable_customer("Kim Lee")
        attempt = dialing.permit(wanted(customer, number))
        dial_attempts.end(attempt, "no_answer")
        copy = {field.attname: getattr(attempt, field.attname) for field in DialAttempt._meta.concrete_fields}
        for name in ("id", "public_id", "at"):
            copy.pop(name)
        with pytest.raises(IntegrityError, match="no_consent"), transaction.atomic():
            DialAttempt.objects.create(**copy | {"consent": somebody.consents.get(), "consent_id": somebody.consents.get().pk})
        says(customer, "outbound_call", "revoked")
        with pytest.raises(IntegrityError, match="no_consent"), transaction.atomic():
            DialAttempt.objects.create(**copy)


class TestHours:
    @pytest.mark.parametrize(("opens", "closes", "refusal"), [
        (time(0), time(23, 59, 59), ""), (None, None, "hours"),
    ])  # fmt: skip
    def test_only_within_the_hours(self, opens: time | None, closes: time | None, refusal: str) -> None:
        region = open_hours()
        if opens is None:
            region.hours.filter(weekday=timezone.now().astimezone(ZoneInfo("Europe/London")).weekday()).delete()
        assert refusal_of(wanted(*callable_customer())) == refusal

    def test_every_zone_in_which_the_phone_may_be_counts(self) -> None:
        """A freephone number of North America is in some forty zones: rung only while it is day in all of them."""
        calling_rules.lay_down()
        zones = calling_hours.zones_of("+18005551234")
        assert len(zones) > 40
        noon_in_new_york = datetime(2026, 3, 4, 12, tzinfo=ZoneInfo("America/New_York"))
        assert calling_hours.refusal_at("+12125551234", calling_hours.zones_of("+12125551234"), noon_in_new_york) == ""
        assert calling_hours.refusal_at("+18005551234", zones, noon_in_new_york) == "hours"
        later = noon_in_new_york + timedelta(hours=5, minutes=30)
        assert calling_hours.refusal_at("+18005551234", zones, later) == ""

    def test_what_is_known_of_the_customer_counts_before_the_number(self) -> None:
        customer, number = callable_customer(time_zone="Asia/Tokyo")
        assert calling_hours.zones_of(number, customer) == ["Asia/Tokyo"]

    @pytest.mark.parametrize("number", ["+88351000000", "+999123456"])
    def test_a_number_of_nowhere_is_not_rung(self, number: str) -> None:
        assert calling_hours.zones_of(number) == []
        assert calling_hours.refusal_at(number, [], timezone.now()) == "unknown_place"

    def test_a_region_without_a_row_is_not_rung(self) -> None:
        open_hours("+49")
        assert refusal_of(wanted(*callable_customer())) == "unknown_place"

    def test_a_zone_that_nobody_knows_is_nowhere(self) -> None:
        customer, number = callable_customer(time_zone="Mars/Base")
        assert refusal_of(wanted(customer, number)) == "unknown_place"

    def test_the_longest_beginning_of_a_number_counts(self) -> None:
        calling_rules.lay_down()
        at = datetime(2026, 6, 3, 20, 30, tzinfo=ZoneInfo("America/New_York"))
        assert calling_hours.refusal_at("+13055551234", ["America/New_York"], at) == "hours"
        assert calling_hours.refusal_at("+12125551234", ["America/New_York"], at) == ""

    def test_a_holiday_is_one_where_the_phone_is(self) -> None:
        region = open_hours("+1")
        region.holidays.create(day=date(2026, 7, 4), name="Independence Day")
        late = datetime(2026, 7, 3, 23, tzinfo=ZoneInfo("America/Los_Angeles"))
        assert calling_hours.refusal_at("+12135551234", ["America/Los_Angeles"], late) == ""
        assert calling_hours.refusal_at("+12125551234", ["America/New_York"], late) == "holiday"

    def test_holidays_of_a_country_are_added_once(self) -> None:
        region = open_hours()
        assert calling_rules.add_holidays(region, "GB-ENG", range(2026, 2027)) > 5
        assert calling_rules.add_holidays(region, "GB-ENG", range(2026, 2027)) == 0
        with pytest.raises(calling_rules.UnknownCountry):
            calling_rules.add_holidays(region, "XX", range(2026, 2027))

    @pytest.mark.parametrize(("utc", "refusal"), [
        ("2026-03-28T07:30", "hours"),   # the day before: 07:30 in London
        ("2026-03-29T06:59", "hours"),   # clocks went forth at 01:00 UTC: 07:59
        ("2026-03-29T07:00", ""),        # 08:00
        ("2026-03-29T19:59", ""),        # 20:59
        ("2026-03-29T20:00", "hours"),   # 21:00
        ("2026-10-25T07:59", "hours"),   # clocks went back: 07:59
        ("2026-10-25T08:00", ""),
        ("2026-10-25T20:59", ""),
        ("2026-10-25T21:00", "hours"),
    ])  # fmt: skip
    def test_clocks_that_change_are_read_as_they_stand(self, utc: str, refusal: str) -> None:
        open_hours(opens=time(8), closes=time(21))
        at = datetime.fromisoformat(f"{utc}+00:00")
        assert calling_hours.refusal_at("+447700900123", ["Europe/London"], at) == refusal

    def test_when_it_may_be_rung_next(self) -> None:
        open_hours(opens=time(8), closes=time(21))
        evening = datetime(2026, 3, 28, 22, tzinfo=ZoneInfo("Europe/London"))
        assert calling_hours.next_time("+447700900123", ["Europe/London"], evening) == datetime(
            2026, 3, 29, 8, tzinfo=ZoneInfo("Europe/London")
        )
        CallingHours.objects.all().delete()
        assert calling_hours.next_time("+447700900123", ["Europe/London"], evening) is None

    def test_whoever_asked_this_minute_is_rung_at_any_hour(self) -> None:
        policy(CallPurpose.CALL_ME, keeps_hours=False)
        CallingRegion.objects.all().delete()
        assert refusal_of(wanted(*callable_customer(), CallPurpose.CALL_ME)) == ""


class TestHowOften:
    def test_no_more_than_the_cap(self) -> None:
        policy(CallPurpose.REMINDER, ("number", 2, 24))
        asked = wanted(*callable_customer())
        for _time in range(2):
            dial_attempts.end(dialing.permit(asked), "no_answer")
        assert refusal_of(asked) == "too_often"

    def test_calls_of_before_do_not_count(self) -> None:
        policy(CallPurpose.REMINDER, ("number", 1, 24))
        asked = wanted(*callable_customer())
        rung_before(asked, timedelta(hours=24, minutes=30))
        assert refusal_of(asked) == "too_often", "a day on which clocks go back has 25 hours"
        another = wanted(*callable_customer())
        rung_before(another, timedelta(hours=25, minutes=1))
        assert refusal_of(another) == ""

    def test_seven_calls_in_seven_days_about_a_debt_on_whatever_number(self) -> None:
        CallingPolicy.objects.all().delete()
        calling_rules.lay_down()
        open_hours()
        customer, number = callable_customer()
        numbers = [number, *(new_number() for _each in range(3))]
        for made in range(7):
            attempt = dialing.permit(wanted(customer, numbers[made % 4], CallPurpose.COLLECTION, subject="debt:1"))
            dial_attempts.end(attempt, "no_answer")
        assert refusal_of(wanted(customer, new_number(), CallPurpose.COLLECTION, subject="debt:1")) == "too_often"
        assert refusal_of(wanted(customer, number, CallPurpose.REMINDER)) == ""

    def test_nobody_is_rung_about_a_debt_for_seven_days_after_a_talk_about_it(self) -> None:
        policy(CallPurpose.COLLECTION, quiet_days=7)
        customer, number = callable_customer()
        asked = wanted(customer, number, CallPurpose.COLLECTION, subject="debt:1")
        line = rows.interaction(rows.conversation(customer), door=rows.phone_line())
        assert dial_attempts.note_talk(customer, CallPurpose.COLLECTION, "debt:1", call=line)
        assert not dial_attempts.note_talk(customer, CallPurpose.COLLECTION, "debt:1", call=line)
        assert refusal_of(asked) == "talked_lately"
        SubjectTalk.objects.update(at=timezone.now() - 7 * DAY - timedelta(minutes=61))
        assert refusal_of(asked) == ""

    def test_one_call_to_a_number_at_a_time(self) -> None:
        customer, number = callable_customer()
        first = dialing.permit(wanted(customer, number))
        assert refusal_of(wanted(customer, number)) == "number_is_dialled_once_at_a_time"
        dial_attempts.end(first, "busy")
        assert refusal_of(wanted(customer, number)) == ""

    def test_joined_records_are_counted_together(self) -> None:
        policy(CallPurpose.REMINDER, ("customer", 1, 24))
        one, number = callable_customer()
        two, other = callable_customer()
        dial_attempts.end(dialing.permit(wanted(one, number)), "no_answer")
        merging.join_customers(one, two, evidence={}, made_by="Ann")
        assert refusal_of(wanted(two, other)) == "too_often"

    def test_counting_goes_on_after_an_erasure(self) -> None:
        policy(CallPurpose.REMINDER, ("number", 1, 24))
        customer, number = callable_customer()
        dial_attempts.end(dialing.permit(wanted(customer, number)), "no_answer")
        DialAttempt.objects.update(number="")
        another, _number = callable_customer()
        assert refusal_of(wanted(another, number)) == "too_often"

    def test_a_purpose_without_a_policy_rings_nobody(self) -> None:
        assert refusal_of(wanted(*callable_customer(), CallPurpose.FOLLOW_UP)) == "no_policy"


class TestRowsThatCount:
    def test_they_are_never_changed_or_deleted(self) -> None:
        attempt = dialing.permit(wanted(*callable_customer()))
        for change in ({"subject": "x"}, {"at": timezone.now() - DAY}, {"purpose": "callback"}, {"number_hash": "0" * 64}):
            with pytest.raises(IntegrityError), transaction.atomic():
                DialAttempt.objects.filter(pk=attempt.pk).update(**change)
        with pytest.raises(Exception, match="Cannot delete"), transaction.atomic():
            attempt.delete()
        assert dial_attempts.end(attempt, "busy")
        assert not dial_attempts.end(attempt, "no_answer")

    def test_they_cannot_be_counted_in_a_transaction_that_does_not_see_others(self) -> None:
        asked = wanted(*callable_customer())
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            with pytest.raises(IntegrityError, match="read committed"):
                dialing.permit(asked)

    def test_a_permission_rings_once(self) -> None:
        customer, number = callable_customer()
        call = rows.interaction(rows.conversation(customer), door=rows.phone_line(), direction="outbound", party=number)
        with pytest.raises(NotRung, match="no permission"):
            voice_dialing.ring(call, answer_url="", event_url="")
        dialing.permit(wanted(customer, number), call=call)
        with ThreadPoolExecutor(4) as pool:
            used = list(pool.map(lambda _each: _uses(call), range(4)))
        assert used.count(True) == 1

    def test_nothing_is_rung_before_the_permission_is_committed(self) -> None:
        customer, number = callable_customer()
        call = rows.interaction(rows.conversation(customer), door=rows.phone_line(), direction="outbound", party=number)
        with transaction.atomic():
            dialing.permit(wanted(customer, number), call=call)
            with pytest.raises(RuntimeError):
                voice_dialing.ring(call, answer_url="", event_url="")


class TestRefusalsAreTold:
    def test_in_the_conversation_once_a_day(self) -> None:
        customer, number = callable_customer()
        conversation = rows.conversation(customer)
        says(customer, "outbound_call", "revoked")
        for _time in range(2):
            refusal_of(wanted(customer, number))
        entry = Entry.objects.get(kind="call.refused")
        assert (entry.conversation_id, entry.audience, entry.data["reason"]) == (conversation.pk, "staff", "revoked")
        assert "took back" in entry.body

    def test_who_has_no_conversation_gets_one_that_is_closed(self) -> None:
        assert refusal_of(wanted(rows.customer(), new_number())) == "not_asked"
        assert Entry.objects.get(kind="call.refused").conversation.status == Conversation.Status.CLOSED

    def test_every_reason_is_a_sentence(self) -> None:
        for code in dialing.REFUSALS:
            assert str(dialing.DialRefused(code)).startswith("Not called: ")


def test_only_one_place_has_customers_rung() -> None:
    """The gateway's functions that place calls, by the modules that name them; no other module speaks to the platform."""
    places: dict[str, set[str]] = {}
    for path in (settings.BASE_DIR / "conversations").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", None)
            if name in ("create_call", "call_person", "_dial") and path.name != "gateway.py":
                places.setdefault(name, set()).add(str(path.relative_to(settings.BASE_DIR)))
    assert places["call_person"] == {"conversations/voice/dialing.py"}
    assert places["create_call"] == {"conversations/voice/seats.py"}, "it rings phones of staff, and nobody else's"
    assert "_dial" not in places


def _uses(call: object) -> bool:
    try:
        dial_attempts.use(call)  # type: ignore[arg-type]
    except dial_attempts.NotPermitted:
        return False
    finally:
        connection.close()
    return True
