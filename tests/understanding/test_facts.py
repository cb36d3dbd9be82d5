"""Facts in what people type and say."""

import time
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.understanding.facts import NAMES, extract
from conversations.understanding.names import volunteered

# A Wednesday morning.
NOW = datetime(2026, 11, 25, 10, 0, tzinfo=ZoneInfo("Europe/London"))

TOLD = [
    (
        "Hi, I'm Sam Okafor, my number is 07700 900123 and postcode hb1 4qt",
        None,
        {"name": "Sam Okafor", "phone": "+447700900123", "postcode": "HB1 4QT"},
    ),
    ("um it's sam okafor", "name", {"name": "Sam Okafor"}),
    ("sam okafor", "name", {"name": "Sam Okafor"}),
    ("okafor, that's o k a f o r", "name", {"name": "Okafor"}),
    ("Jean van der Berg", "name", {"name": "Jean van der Berg"}),
    ("Dr Amara Obi here", "name", {"name": "Amara Obi"}),
    ("José Álvarez", "name", {"name": "José Álvarez"}),
    ("my name is mary o'neill-smith and i live at HB2 1AA", None, {"name": "Mary O'Neill-Smith", "postcode": "HB2 1AA"}),
    ("My name is Sam and my boiler is broken", None, {"name": "Sam"}),
    ("tomorrow 10 to 12 june will", "time_window", {"date": "2026-11-26", "time_window": "10:00-12:00"}),
    ("on friday at 10 april jones", None, {"date": "2026-11-27", "time_window": "10:00-11:00"}),
    ("summer may 10 to 12 tomorrow", "time_window", {"date": "2026-11-26", "time_window": "10:00-12:00"}),
    ("not mornings", "time_window", {"time_window": "12:00-18:00"}),
    ("i can't do afternoons", "time_window", {"time_window": "08:00-12:00"}),
    ("friday but not in the evening", None, {"date": "2026-11-27", "time_window": "08:00-16:00"}),
    ("not monday, tuesday morning", "time_window", {"date": "2026-12-01", "time_window": "08:00-12:00"}),
    ("on 12 june", "time_window", {"date": "2027-06-12"}),
    ("friday first slot", "time_window", {"date": "2026-11-27"}),
    ("the first slot on friday", "time_window", {"date": "2026-11-27"}),
    ("friday the 27th", "time_window", {"date": "2026-11-27"}),
    ("ten oclock", "name", {"time_window": "10:00-11:00"}),
    ("half ten", "name", {"time_window": "10:30-11:30"}),
    ("weekends?", "name", {}),
    ("Saturdays", "name", {}),
    ("twenty", "name", {}),
    ("Monday Morning", "name", {"date": "2026-11-30", "time_window": "08:00-12:00"}),
    ("Monday Jones", "name", {"name": "Monday Jones"}),
    ("Wednesday Addams here", "name", {"name": "Wednesday Addams"}),
    ("April", "name", {"name": "April"}),
    ("Doris Day", "name", {"name": "Doris Day"}),
    ("you got my name wrong its Mandy Jones", None, {"name": "Mandy Jones"}),
    ("you've got my name wrong, it's mandy jones", None, {"name": "Mandy Jones"}),
    ("I need a plumber", "name", {}),
    ("why do you need that", "name", {}),
    ("it's the boiler", "name", {}),
    ("This is urgent", None, {}),
    ("I'm looking for a quote", None, {}),
    ("oh seven seven hundred nine hundred one two three", "phone", {"phone": "+447700900123"}),
    ("01632 960100, no sorry, 01632 960101", None, {"phone": "+441632960101"}),
    ("+1 415 555 0132", None, {"phone": "+14155550132"}),
    ("07700 900 12", "phone", {}),
    ("07700 900302", "amount", {"phone": "+447700900302"}),
    ("it was 85, ring 07700 900302", "amount", {"phone": "+447700900302", "amount": "85.00 GBP"}),
    ("it's about invoice HH-Q3W8NF", None, {"order_number": "HH-Q3W8NF"}),
    ("HH Q3W8NF", "postcode", {"order_number": "HH-Q3W8NF"}),
    ("HB9 9ZZZ", "postcode", {}),
    ("card 4111 1111 1111 1111", None, {}),
    ("it's h b one four q t", "postcode", {"postcode": "HB1 4QT"}),
    ("hb 1 4 qt", "postcode", {"postcode": "HB1 4QT"}),
    ("HB3", "postcode", {"postcode": "HB3"}),
    ("my postcode is HB one two A B and the boiler leaks", None, {"postcode": "HB1 2AB"}),
    ("postcode hb one two a b", None, {"postcode": "HB1 2AB"}),
    ("I live in HB twelve AB", None, {"postcode": "HB1 2AB"}),
    ("it's H B 1 2 A B, thanks", None, {"postcode": "HB1 2AB"}),
    ("HB one two B A, please", None, {"postcode": "HB1 2BA"}),
    ("HB12 AB", None, {"postcode": "HB1 2AB"}),
    ("HB 12AB please", "postcode", {"postcode": "HB1 2AB"}),
    ("it broke on 23rd or IN 12 AB", None, {}),
    ("sam dot okafor at example dot com", "email", {"email": "sam.okafor@example.com"}),
    ("Mail me at Sam.Okafor@Example.com.", None, {"email": "sam.okafor@example.com"}),
    ("it's HR-4458", "order_number", {"order_number": "HR-4458"}),
    ("hr dash four four five eight", "order_number", {"order_number": "HR-4458"}),
    ("hr 20931", "order_number", {"order_number": "HR-20931"}),
    ("HR-4458", None, {}),
    ("it is 4458", "order_number", {}),
    ("my booking is HH-4F7K2Q", None, {"order_number": "HH-4F7K2Q"}),
    ("h h dash four f seven k two q", "order_number", {"order_number": "HH-4F7K2Q"}),
    ("the bill says £1,285.50", None, {"amount": "1285.50 GBP"}),
    ("i paid 85 pounds fifty", None, {"amount": "85.50 GBP"}),
    ("a hundred and twenty quid", None, {"amount": "120.00 GBP"}),
    ("120", "amount", {"amount": "120.00 GBP"}),
    ("I'll pay 60 on friday", None, {"amount": "60.00 GBP", "date": "2026-11-27"}),
    ("i can only pay 60", None, {"amount": "60.00 GBP"}),
    ("I want to pay 2 invoices in 3 parts", None, {}),
    ("i cant pay it till the 10th", None, {"date": "2026-12-10"}),
    ("not before Friday please", None, {"date": "2026-11-27"}),
    ("75p", None, {"amount": "0.75 GBP"}),
    ("my boiler is a worcester 30i", "details", {"details": "my boiler is a worcester 30i"}),
    ("tomorrow morning please", None, {"date": "2026-11-26", "time_window": "08:00-12:00"}),
    ("tomorrow, ten to twelve", None, {"date": "2026-11-26", "time_window": "10:00-12:00"}),
    ("next Tuesday between 10 and 12", None, {"date": "2026-12-01", "time_window": "10:00-12:00"}),
    ("the 3rd of May", None, {"date": "2027-05-03"}),
    ("may the third twenty twenty seven", None, {"date": "2027-05-03"}),
    ("on the twenty-third of may at ten thirty", None, {"date": "2027-05-23", "time_window": "10:30-11:30"}),
    ("Friday 4th December, 2pm-4pm", None, {"date": "2026-12-04", "time_window": "14:00-16:00"}),
    ("03/05/2027", None, {"date": "2027-05-03"}),
    ("2027-01-04 at 10:30", None, {"date": "2027-01-04", "time_window": "10:30-11:30"}),
    ("Saturday week", None, {"date": "2026-12-05"}),
    ("day after tomorrow after 3", None, {"date": "2026-11-27", "time_window": "15:00-18:00"}),
    ("in a couple of days at half past two", None, {"date": "2026-11-27", "time_window": "14:30-15:30"}),
    ("Friday before noon", None, {"date": "2026-11-27", "time_window": "08:00-12:00"}),
    ("Tuesday no sorry Wednesday", None, {"date": "2026-12-02"}),
    ("I can't do Tuesday but Thursday is fine", None, {"date": "2026-11-26"}),
    ("not Friday, Monday", None, {"date": "2026-11-30"}),
    ("move it from Tuesday to Thursday", None, {"date": "2026-11-26"}),
    ("either Monday or Friday afternoon", None, {"date": "2026-11-30", "time_window": "12:00-18:00"}),
    ("between 10 and 12", "time_window", {"time_window": "10:00-12:00"}),
    ("10 to 12", "time_window", {"time_window": "10:00-12:00"}),
    ("the third", "date", {"date": "2026-12-03"}),
    ("as soon as possible", "date", {"date": "2026-11-25"}),
    ("this is the third time I have called", None, {}),
    ("no hot water since Monday", None, {}),
    ("the leak started at 3 this morning", None, {}),
    ("it broke down this morning, can you come tomorrow afternoon", None, {"date": "2026-11-26", "time_window": "12:00-18:00"}),
    ("Good morning, I need help", None, {}),
    ("the pressure gauge is at zero", None, {}),
    ("the needle is at 1", None, {}),
    ("I have at least 2 radiators and 3 bedrooms", None, {}),
]
HOSTILE = [
    "1 " * 5000,
    "1" * 10000,
    "a@" * 5000,
    "a.b" * 3000 + "@",
    "a" * 9000 + "@b.c",
    "£" * 10000,
    "1,234" * 2000,
    "HH " * 3000,
    "hb1 " * 2500,
    "((((" * 2500,
    "0-" * 5000,
    "next " * 2000,
    "the 3rd " * 1200,
    "my name is " * 900,
    "i'm A " * 1500,
    "@a." * 3000,
    "+1 415 555 0132 " * 600,
    "\x00\u202e" * 3000,
    "between 10 and " * 700,
    "may 3 " * 1600,
    "ﷺ" * 10000,
    "not tuesday " * 800,
    "0 " * 5000,
]


@pytest.mark.parametrize(("text", "expecting", "facts"), TOLD)
def test_facts_are_read(text: str, expecting: str | None, facts: dict[str, str]) -> None:
    found = {fact.name: fact.value for fact in extract(text, now=NOW, expecting=expecting)}
    assert found == facts


def test_months_come_first_where_they_do() -> None:
    found = {fact.name: fact.value for fact in extract("05/03/2027", now=NOW, default_region="US")}
    assert found == {"date": "2027-05-03"}


def test_tomorrow_is_tomorrow_where_the_customer_is() -> None:
    late = datetime(2026, 11, 25, 23, 30, tzinfo=ZoneInfo("America/New_York"))
    assert extract("tomorrow", now=late)[0].value == "2026-11-26"


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        extract("tomorrow", now=datetime(2026, 11, 25))  # noqa: DTZ001


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.text(max_size=400), st.lists(st.sampled_from([text for text, _, _ in TOLD]), max_size=4).map(" ".join)),
    st.sampled_from([None, *NAMES, "details"]),
    st.sampled_from(["GB", "US", "DE", "gb"]),
)
def test_no_text_makes_it_fail_and_each_fact_comes_once(text: str, expecting: str | None, region: str) -> None:
    found = extract(text, now=NOW, default_region=region, expecting=expecting)
    assert len({fact.name for fact in found}) == len(found)
    assert all(0 < fact.confidence <= 1 and fact.value and "\x00" not in fact.value for fact in found)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:8]))
def test_hostile_texts_take_no_longer_than_others(text: str) -> None:
    for expecting in (None, "name", "date", "phone", "postcode", "amount"):
        started = time.process_time()
        extract(text, now=NOW, expecting=expecting)
        assert time.process_time() - started < 1.5


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Will Hope", ["Will Hope"]),
        (" , Summer May,  , ", ["Summer May"]),
        ("Rose Hill and my number is , ", ["Rose Hill"]),
        ("june will", ["june will"]),
        ("Monday Jones", ["Monday Jones"]),
        ("jean-paul Sartre", []),
        ("Quay Street", []),
        ("Monday Morning", []),
        ("top floor", []),
        ("sounds good", []),
        ("Blocked drain", []),
        ("I Want", []),
    ],
)
def test_names_that_nobody_asked_for_stand_alone(text: str, names: list[str]) -> None:
    assert volunteered(text) == names
