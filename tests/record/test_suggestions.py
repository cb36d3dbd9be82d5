"""Records that may be one person are suggested to people, and nothing is joined by it."""

from __future__ import annotations

import random
import sys
from datetime import date, timedelta
from importlib.util import find_spec
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from conversations.models import Customer, CustomerLink, Identifier, MatchCandidate, SharedIdentifier
from conversations.reading.waterfall import waterfall_of
from conversations.services import candidates, linkage, merging, suggestions
from conversations.services.linkage import LEVELS, Person, TooFew, find_pairs
from conversations.tasks import suggest_matches
from tests.record import rows

needs_extra = pytest.mark.skipif(find_spec("splink") is None, reason="the extra is not installed: requirements-linkage.txt")
GIVEN = "Alice Bola Chen Dana Emil Farah Goran Hana Ivo Jana Kofi Lena Mika Nadia Omar Priya Quinn Rosa Sven Tomas Uma Viktor Wanda Zoe"
FAMILY = (
    "Adeyemi Brown Costa Dahl Evans Fischer Greco Horvat Ito Jansen Kowalski Larsen Moreau Novak Okafor Petrov Quist Rossi Silva Tanaka"
)
STREETS = "Mill Lane,Church Road,High Street,Station Road,Park Avenue,Harbour Walk,Castle Street,Bridge Street,Queen Street,School Lane"


def somebody(number: int) -> Person:
    """An invented person, the same for the same number."""
    chance = random.Random(number)
    return Person(
        number,
        name=f"{chance.choice(GIVEN.split())} {chance.choice(FAMILY.split())}",
        born=date(1940, 1, 1) + timedelta(days=chance.randrange(25_000)),
        address=f"{chance.randrange(1, 200)} {chance.choice(STREETS.split(','))}",
        postcode=f"HB{chance.randrange(1, 20)}{chance.randrange(1, 9)}{chance.choice('ABDEFGH')}{chance.choice('JLNPQRS')}",
        phones=[f"+4477009{chance.randrange(10_000, 99_999)}"],
    )


def with_slips(person: Person, number: int) -> Person:
    """The same person as somebody else wrote them down: a slip in the name, another way to write the address, no phone."""
    name = person.name[:-2] + person.name[-1]
    address = person.address.replace(" ", ", ", 1)
    return Person(number, name=f"Mr. {name.upper()}", born=person.born, address=address, postcode=person.postcode)


def crowd(size: int, twins: int) -> list[Person]:
    """`size` people, the first `twins` of them once more from number 10,000 on."""
    everybody = [somebody(number) for number in range(size)]
    return everybody + [with_slips(person, 10_000 + person.number) for person in everybody[:twins]]


@needs_extra
def test_records_of_one_person_are_found_and_others_are_not() -> None:
    """With slips, without labels; the weights add up, and the surest comes first."""
    found = list(find_pairs(crowd(300, 40)))
    assert {(pair.one, pair.other) for pair in found} <= {(number, 10_000 + number) for number in range(40)}
    assert len(found) >= 36
    assert [pair.weight for pair in found] == sorted((pair.weight for pair in found), reverse=True)
    for pair in found:
        assert pair.prior + sum(each.weight for each in pair.evidence) == pytest.approx(pair.weight, abs=0.01)
        assert pair.probability >= linkage.THRESHOLD
        assert all(each.level in (*LEVELS[each.comparison], "missing") for each in pair.evidence)


@needs_extra
def test_the_same_records_give_the_same_pairs() -> None:
    """In whatever order they come; sums of several threads may differ in their last digits."""
    people = crowd(150, 20)
    one, other = ({(pair.one, pair.other): pair.weight for pair in find_pairs(each)} for each in (people, people[::-1]))
    assert one == pytest.approx(other, rel=1e-9)


@needs_extra
@pytest.mark.parametrize("people", [[], crowd(1, 0), crowd(1, 1), crowd(50, 10)])
def test_few_records_teach_nothing(people: list[Person]) -> None:
    """None, one, two, sixty: no guess is made of them."""
    with pytest.raises(TooFew, match="records"):
        list(find_pairs(people))


@needs_extra
def test_many_records_of_which_no_two_agree_teach_nothing() -> None:
    with pytest.raises(TooFew, match="No two"):
        list(find_pairs(crowd(120, 0)))


@needs_extra
def test_empty_and_strange_records_hurt_nobody() -> None:
    """Without anything, with a name of one word or none of letters, with quotes and other scripts in it."""
    names = ["", "Cher", "'; DROP TABLE people", "李 小龍", "Mr", "🙂", "o'neill-smith"]
    strange = [Person(20_000 + number, name=name) for number, name in enumerate(names)]
    assert {pair.one for pair in find_pairs([*crowd(150, 20), *strange])} <= set(range(20))


@needs_extra
def test_a_household_is_not_one_person() -> None:
    """The same family name, home and phone, but another given name and no date of birth that speaks for one person."""
    people = crowd(200, 30)
    family = [
        Person(30_000, "Gail Adeyemi", None, "7 Mill Lane", "HB12AB", ["+447700900777"]),
        Person(30_001, "Tunde Adeyemi", date(1980, 4, 3), "7 Mill Lane", "HB12AB", ["+447700900777"]),
    ]
    found = {(pair.one, pair.other) for pair in find_pairs([*people, *family], threshold=0.5)}
    assert (30_000, 30_001) not in found
    assert found


@pytest.fixture
def record(db: None) -> list[Customer]:
    """A hundred and fifty customers, the last twenty of whom are the first twenty once more."""
    return [stored(person) for person in crowd(130, 20)]


def stored(person: Person) -> Customer:
    customer = Customer.objects.create(name=person.name, date_of_birth=person.born, address=person.address, postcode=person.postcode)
    for phone in person.phones:
        Identifier.objects.create(
            customer=customer, original_customer=customer, kind="phone", value=phone, assurance="claimed", source="import"
        )
    return customer


def pairs_noted() -> set[tuple[int, int]]:
    return set(MatchCandidate.objects.filter(state="open").values_list("customer", "other"))


@needs_extra
def test_suggestions_are_noted_and_nothing_is_joined(record: list[Customer]) -> None:
    """With how sure it is and why, and without a value of either record; again changes nothing."""
    found = suggest_matches()
    assert found >= 18
    twins = {(record[number].pk, record[130 + number].pk) for number in range(20)}
    assert pairs_noted() <= twins
    assert not CustomerLink.objects.exists()
    candidate = MatchCandidate.objects.latest("score")
    told = candidate.evidence["linkage"]
    assert told["match_weight"] > 0
    assert candidate.score == pytest.approx(told["probability"], abs=1e-5)
    assert {each["comparison"] for each in told["comparisons"]} == set(LEVELS)
    assert candidate.customer.name.split()[-1] not in str(candidate.evidence)
    before = list(MatchCandidate.objects.values())
    assert suggest_matches() == found
    assert list(MatchCandidate.objects.values()) == before


@needs_extra
def test_what_people_settled_is_left_alone(record: list[Customer], admin_user: User) -> None:
    """Different people stay so, also when one of them was joined into another record since."""
    list(suggestions.suggest())
    candidate = MatchCandidate.objects.order_by("customer").first()
    assert candidate is not None
    candidates.dismiss(candidate, admin_user)
    count = MatchCandidate.objects.count()
    list(suggestions.suggest())
    candidate.refresh_from_db()
    assert candidate.state == "dismissed"
    assert MatchCandidate.objects.count() == count
    other = candidate.other
    again = Customer.objects.create(name=other.name, date_of_birth=other.date_of_birth, postcode=other.postcode, address=other.address)
    merging.join_customers(candidate.other, again, evidence={}, made_by="test")
    assert (candidate.customer_id, again.pk) not in {(each.customer.pk, each.other.pk) for each in suggestions.suggest()}


@needs_extra
def test_joined_records_count_as_one(record: list[Customer]) -> None:
    merging.join_customers(record[130], record[0], evidence={}, made_by="test")
    assert record[130].pk not in {each.other.pk for each in suggestions.suggest()}


def test_values_that_many_share_tell_nothing(record: list[Customer]) -> None:
    """An office line is not among what is compared, unless staff say that it identifies all the same."""
    phone = Identifier.objects.get(customer=record[0]).value
    shared = SharedIdentifier.objects.create(kind="phone", value=phone, customers=9, shown_as="network_hint")
    assert next(iter(suggestions.people())).phones == []
    SharedIdentifier.objects.filter(pk=shared.pk).update(allowed_by="Maya", allowed_at="2026-11-26T10:00Z")
    assert next(iter(suggestions.people())).phones == [phone]


@needs_extra
def test_the_command_prints_what_it_found(record: list[Customer]) -> None:
    """How sure, which records, why; and how many of them are new."""
    out = StringIO()
    call_command("suggest_matches", stdout=out)
    lines = out.getvalue().splitlines()
    assert lines[0].startswith("new  ")
    assert "born same +" in lines[0]
    assert f"{len(lines) - 1} pairs may be one person, {len(lines) - 1} of them new" in lines[-1]


@needs_extra
def test_the_command_says_when_there_is_too_little(db: None) -> None:
    out = StringIO()
    call_command("suggest_matches", stdout=out)
    assert "too little to learn from" in out.getvalue()
    assert suggest_matches() == 0


@pytest.fixture
def without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python as it is where the extra was not installed."""
    monkeypatch.setitem(sys.modules, "splink", None)


def test_without_the_extra_one_is_told_how_to_install_it(db: None, without_the_extra: None) -> None:
    """The command says it; the nightly task has nothing to do."""
    with pytest.raises(CommandError, match=r"requirements-linkage\.txt"):
        call_command("suggest_matches")
    assert suggest_matches() == 0


@pytest.mark.parametrize("threshold", ["0", "1", "7"])
def test_a_threshold_that_is_no_probability_is_refused(db: None, threshold: str) -> None:
    with pytest.raises(CommandError, match=r"between 0 and 1"):
        call_command("suggest_matches", "--threshold", threshold)


def evidence(**weights: float) -> dict[str, Any]:
    levels = {name: "same" if weight > 0 else "different" for name, weight in weights.items()}
    comparisons = [{"comparison": name, "level": levels[name], "weight": weight} for name, weight in weights.items()]
    whole = -10 + sum(weights.values())
    return {"linkage": {"match_weight": whole, "probability": 0.98, "prior_weight": -10.0, "comparisons": comparisons}}


def test_the_bars_go_from_nothing_to_the_whole() -> None:
    """Each begins where the one before it ended, and all fit into a hundred."""
    drawn = waterfall_of(evidence(given_name=8.0, born=9.5, phones=-1.5))
    assert drawn is not None
    assert [(bar.start, bar.width, bar.speaks_for) for bar in drawn.bars] == [
        (0.0, 57.14, False),
        (0.0, 45.71, True),
        (45.71, 54.29, True),
        (91.43, 8.57, False),
    ]
    assert (drawn.total, drawn.percent, drawn.zero) == ("+6.0", "98.0 %", 57.14)
    assert waterfall_of({"same": "phone"}) is None


def test_the_page_of_a_candidate_shows_them(admin_client: Client) -> None:
    """As a table that reads without its bars, too."""
    candidate = MatchCandidate.objects.create(
        customer=rows.customer("Sam Okafor"), other=rows.customer("Samuel Okafor"), score=0.98, evidence=evidence(given_name=8.0, born=9.5)
    )
    page = admin_client.get(f"/admin/conversations/matchcandidate/{candidate.pk}/change/").content.decode()
    assert "Date of birth" in page
    assert "+9.5" in page
    assert 'class="waterfall-for"' in page
    assert "style=" not in page.split('class="waterfall"')[1].split("</table>")[0]
    assert "Linkage" not in page
