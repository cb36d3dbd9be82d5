"""Finding whose record it may be by what was heard."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations.models import Booking, Customer, CustomerLink, Identifier, Technician
from conversations.services import finding, identity, merging
from tests.record import rows

pytestmark = pytest.mark.django_db

TEXTS = st.text(max_size=40)
ANSWERS = st.one_of(st.lists(TEXTS, max_size=5), st.lists(st.lists(TEXTS, max_size=3), max_size=3))
ANY_FACTS = st.dictionaries(st.sampled_from([*finding.FACTS, "shoe_size"]), ANSWERS)
GIVEN = ("Olivia", "Tomasz", "Grace", "Oscar", "Freya", "Percy", "Mei", "Omar", "Róisín")
SURNAMES = ("Ashbury", "Beckett", "Fenwick", "Kirkdale", "Thornhurst", "Wakefield")


@pytest.fixture
def town(db: None) -> dict[str, Customer]:
    """Sixty people, of whom some are easily taken for one another."""
    people = {
        "anna": ("Anna Nowak", date(1966, 2, 8), "05099"),
        "her sister": ("Hanna Nowak", date(1969, 5, 30), "05099"),
        "her namesake": ("Anna Nowak", date(1990, 11, 20), "71019"),
        "karol": ("Karol Łaskawiec", date(1980, 8, 2), "81187"),
        "dmitri": ("Дмитрий Шостакович", date(1975, 9, 25), "HH44XY"),
        "unknown": ("", None, ""),
    }
    made = {
        key: Customer.objects.create(name=name, date_of_birth=born, postcode=postcode) for key, (name, born, postcode) in people.items()
    }
    Customer.objects.bulk_create(
        Customer(
            name=f"{given} {surname}",
            date_of_birth=date(1940 + number * 7 % 70, 1 + number % 12, 1 + number % 28),
            postcode=f"{10_000 + number * 1_357}",
        )
        for number, (given, surname) in enumerate((given, surname) for given in GIVEN for surname in SURNAMES)
    )
    return made


def first(facts: finding.Facts, **given: str) -> Customer:
    return identity.find(facts, **given)[0].customer


def test_right_record_comes_first_when_everything_was_heard_right(town: dict[str, Customer]) -> None:
    found = identity.find({"name": ["Anna Nowak"], "postcode": ["05-099"], "date_of_birth": ["8 February 1966"]})
    assert found[0].customer == town["anna"]
    assert found[0].score > finding.SURE
    assert found[0].agreement == {"name": "same", "postcode": "same", "date_of_birth": "same"}
    assert sum(each.score for each in found) <= 1 + 1e-9


@pytest.mark.parametrize(
    "facts",
    [
        {"name": ["Anna nowack", "Hanna nowak"], "postcode": ["0 5 0 9 8"], "date_of_birth": ["8 February 1966"]},
        {"name": ["ana no vak"], "postcode": ["05099"], "date_of_birth": ["8 February 1956"]},
        {"name": ["a n n a n o w a k"], "date_of_birth": ["the eighth of February 1966"]},
        {"postcode": ["zero 50 99"], "date_of_birth": ["08 02 1966", "18 02 1966"]},
        {"name": ["bla bla"], "postcode": ["05099"], "date_of_birth": ["8 Feb 66"]},
    ],
)
def test_right_record_comes_first_when_some_was_misheard(town: dict[str, Customer], facts: finding.Facts) -> None:
    assert first(facts) == town["anna"]


def test_person_is_found_in_their_own_language_and_script(town: dict[str, Customer]) -> None:
    assert first({"name": ["Карл", "Дмитрий Шостакович"], "date_of_birth": ["25 сентября 1975"]}, language="ru") == town["dmitri"]
    assert first({"name": ["karol uaskawiec"], "date_of_birth": ["drugi sierpnia 1980", "2 sierpnia 1980"]}, language="pl") == town["karol"]


def test_namesakes_share_the_score_until_something_tells_them_apart(town: dict[str, Customer]) -> None:
    facts: dict[str, list[str]] = {"name": ["Anna Nowak"]}
    one, other = identity.find(facts)[:2]
    assert {one.customer, other.customer} == {town["anna"], town["her namesake"]}
    assert one.score == pytest.approx(other.score)
    assert one.score <= 0.5
    facts["date_of_birth"] = ["20 November 1990"]
    assert first(facts) == town["her namesake"]


def test_next_fact_is_the_one_that_tells_the_found_apart(town: dict[str, Customer]) -> None:
    """Two sisters of one postcode: only the birthday (or the name) separates them."""
    facts = {"postcode": ["05099"], "name": ["Nowak"]}
    found = identity.find(facts)
    assert {each.customer for each in found[:2]} == {town["anna"], town["her sister"]}
    assert finding.next_fact(facts, found) == "date_of_birth"


def test_nothing_more_is_asked_when_one_is_sure_or_nothing_can_tell(town: dict[str, Customer]) -> None:
    facts = {"name": ["Anna Nowak"], "postcode": ["05099"], "date_of_birth": ["8 February 1966"]}
    assert finding.next_fact(facts, identity.find(facts)) is None
    assert finding.next_fact({fact: ["?"] for fact in finding.FACTS}, []) is None


def test_first_question_is_the_name(town: dict[str, Customer]) -> None:
    assert finding.next_fact({}, []) == "name"


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        ("account_number", ["1 0 0 4 2"]),
        ("account_number", ["10043", "10042"]),
        ("phone", ["07700 900123"]),
        ("phone", ["+44 7700 900123"]),
        ("phone", ["zero seven seven zero zero nine zero zero one two three"]),
        ("email", ["karol@example.org"]),
    ],
)
def test_record_is_found_by_a_number_of_its_own(town: dict[str, Customer], fact: str, said: list[str]) -> None:
    for kind, value in (("external", "crm:10042"), ("phone", "+447700900123"), ("email", "karol@example.org")):
        own = town["karol"]
        Identifier.objects.create(customer=own, original_customer=own, kind=kind, value=value, assurance="claimed", source="test")
    found = identity.find({fact: said}, region="GB")
    assert [(each.customer, each.agreement) for each in found] == [(town["karol"], {fact: "same"})]


def test_record_is_found_by_the_reference_of_a_visit(town: dict[str, Customer]) -> None:
    karol, begins = town["karol"], datetime(2026, 12, 1, 9, tzinfo=ZoneInfo("Europe/London"))
    Booking.objects.create(
        reference="HH-4F7K2Q",
        customer=karol,
        original_customer=karol,
        conversation=rows.conversation(karol),
        technician=Technician.objects.create(name="Tom"),
        window=(begins, begins + timedelta(hours=2)),
        idempotency_key="once",
    )
    assert [each.customer for each in identity.find({"order_number": ["h h 4 F seven k 2 q"]})] == [karol]
    assert [each.customer for each in identity.find({"order_number": ["hh-4f7k2q"]})] == [karol]


def test_number_that_many_share_identifies_nobody(town: dict[str, Customer]) -> None:
    """An office line on forty records gives none of them a score worth mentioning."""
    for each in Customer.objects.order_by("pk")[:40]:
        Identifier.objects.create(
            customer=each, original_customer=each, kind="phone", value="+442071234567", assurance="claimed", source="test"
        )
    assert max(each.score for each in identity.find({"phone": ["+442071234567"]})) < 0.1


def test_joined_record_is_found_as_the_one_it_counts_for(town: dict[str, Customer]) -> None:
    """What one record knows and what the other knows agree with one caller; separated again, each is found by itself."""
    bare = Customer.objects.create(name="Anna Nowakowska")
    with transaction.atomic():
        merging.join_customers(town["anna"], bare, evidence={}, made_by="test")
    found = identity.find({"name": ["Anna Nowakowska"], "date_of_birth": ["8 February 1966"]})
    assert found[0].customer == bare
    assert found[0].agreement == {"name": "same", "date_of_birth": "same"}
    assert town["anna"] not in {each.customer for each in found}
    merging.separate_customers(CustomerLink.objects.get(), undone_by="test")
    assert first({"postcode": ["05099"], "date_of_birth": ["8 February 1966"]}) == town["anna"]


def test_nobody_is_found_by_what_fits_nobody(town: dict[str, Customer]) -> None:
    assert identity.find({"name": ["Zygmunt Quentin"], "postcode": ["99999"]}) == []
    assert identity.find({}) == []
    assert identity.find({"name": [], "postcode": [[]]}) == []
    assert identity.find({"shoe_size": ["44"]}) == []


def test_empty_record_is_never_found(town: dict[str, Customer]) -> None:
    assert town["unknown"] not in {each.customer for each in identity.find({"name": ["Anna Nowak"], "date_of_birth": ["8 2 1966"]})}


def test_answer_that_is_given_again_makes_surer(town: dict[str, Customer]) -> None:
    once = identity.find({"name": [["Anna Nowak"]], "date_of_birth": [["8 February 1966"]]})[0]
    again = identity.find({"name": [["Anna Nowak"], ["Anna Nowak"]], "date_of_birth": [["8 February 1966"]]})[0]
    assert again.customer == once.customer
    assert again.log_odds > once.log_odds


def test_search_keys_follow_every_way_of_writing(town: dict[str, Customer]) -> None:
    """An update past the model, a bulk update and plain SQL are found by what they wrote."""
    one, two, three = Customer.objects.filter(name__startswith="Omar")[:3]
    Customer.objects.filter(pk=one.pk).update(name="Bogumiła Trzcińska")
    two.name = "Wacław Brzęczyk"
    Customer.objects.bulk_update([two], ["name"])
    with connection.cursor() as cursor:
        cursor.execute("UPDATE conversations_customer SET name = %s WHERE id = %s", ["Żaneta Ćwikła", three.pk])
    assert first({"name": ["bogumila trzcinsca"]}) == one
    assert first({"name": ["vatslav brzeczik"]}) == two
    assert first({"name": ["zaneta cwikla"]}) == three


@given(ANY_FACTS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_text_is_taken_and_scores_are_probabilities(town: dict[str, Customer], facts: finding.Facts) -> None:
    found = identity.find(facts)
    assert all(0 <= each.score <= 1 for each in found)
    assert [each.log_odds for each in found] == sorted((each.log_odds for each in found), reverse=True)
    assert finding.next_fact(facts, found) in {*finding.FACTS, None}


@pytest.mark.parametrize("text", ["\x00", "Anna\x00 Nowak", "\ud800", "a" * 1_000_000, "1 " * 500_000, "%_\\'\"{}", "\u202eAnna"])
def test_odd_and_huge_texts_are_survived(town: dict[str, Customer], text: str) -> None:
    found = identity.find({fact: [text] * 1000 for fact in finding.FACTS}, language="xx", region="??")
    assert len(found) <= finding.MOST_FOUND


def test_finding_writes_nothing_and_asks_little(town: dict[str, Customer], django_assert_max_num_queries: object) -> None:
    """Seven statements at most for the three facts that callers are asked for, none of them a write."""
    with django_assert_max_num_queries(7) as asked:  # type: ignore[operator]
        identity.find({"name": ["Anna Nowak"], "postcode": ["05099"], "date_of_birth": ["8 February 1966"]})
    assert all(each["sql"].lstrip().upper().startswith(("SELECT", "WITH")) for each in asked.captured_queries)
