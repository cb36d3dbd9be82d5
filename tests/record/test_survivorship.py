"""What two joined records say of a person: filled in, kept for a person to settle, and taken back exactly."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from conversations.models import Customer, CustomerLink, FieldConflict, MatchCandidate, customer_fields
from conversations.services import candidates, erasure, merging, survivorship
from tests.record import rows
from tests.record.test_constraints import NOW, refused
from tests.support.examples import examples

pytestmark = pytest.mark.django_db


def join(joined: Customer, into: Customer, **choices: str) -> CustomerLink:
    return merging.join_customers(joined, into, evidence={}, made_by="Maya", choices=choices)


def separate(link: CustomerLink) -> None:
    merging.separate_customers(link, undone_by="Maya")


def settle(link: CustomerLink, field: str, choice: str) -> None:
    survivorship.settle(link.conflicts.get(field=field), choice, settled_by="Maya")


def says(customer: Customer) -> dict[str, Any]:
    return customer_fields.values_of(Customer.objects.get(pk=customer.pk))


def states(link: CustomerLink) -> dict[str, str]:
    return dict(link.conflicts.values_list("field", "state"))


def test_what_the_root_does_not_say_is_filled_in_and_what_differs_is_kept() -> None:
    """Of every column that says something about a person, and of attributes by key; nothing is overwritten."""
    root = rows.customer("", postcode="HB1", attributes={"boiler": "X1"}, open_balance=Decimal("12.50"))
    other = rows.customer(
        "Ada Byron",
        postcode="HB2",
        date_of_birth=date(1980, 2, 3),
        address="1 Quay",
        time_zone="Europe/Paris",
        language="fr",
        tier="gold",
        open_balance=Decimal("3.00"),
        attributes={"boiler": "X2", "keys": ["porch"]},
    )
    link = join(other, root)
    assert says(root) == {
        "name": "Ada Byron",
        "language": "en",
        "time_zone": "Europe/Paris",
        "tier": "standard",
        "date_of_birth": "1980-02-03",
        "address": "1 Quay",
        "postcode": "HB1",
        "open_balance": "12.50",
        "attributes.boiler": "X1",
        "attributes.keys": ["porch"],
    }
    assert states(link) == {
        **dict.fromkeys(("name", "time_zone", "date_of_birth", "address", "attributes.keys"), "filled"),
        **dict.fromkeys(("language", "tier", "postcode", "open_balance", "attributes.boiler"), "open"),
    }
    conflict = link.conflicts.get(field="attributes.boiler")
    assert (conflict.root_value, conflict.joined_value) == ("X1", "X2")


def test_every_column_of_a_customer_takes_part_or_says_why_not() -> None:
    """A new column takes part, so whoever adds one says here that it is about the person; no reason outlives its column."""
    about_the_person = "name", "language", "time_zone", "tier", "date_of_birth", "address", "postcode", "open_balance"
    assert set(customer_fields.columns()) == set(about_the_person)
    assert set(customer_fields.NOT_ABOUT_THE_PERSON) <= {field.name for field in Customer._meta.concrete_fields}


@pytest.mark.parametrize("erased_one", [0, 1])
def test_nothing_is_joined_with_a_record_that_was_erased(erased_one: int) -> None:
    """Neither into it nor it into another: it is nobody's any more, and stays so."""
    pair = rows.customer("Ada"), rows.customer("Ben")
    erasure.run(erasure.request(pair[erased_one], ground="asked", by="maya").pk, connectors=[])
    with pytest.raises(merging.RecordErased, match="was erased"):
        join(*pair)
    assert list(Customer.objects.filter(erased_at__isnull=True)) == [pair[1 - erased_one]]


def test_what_every_new_record_says_is_no_conflict() -> None:
    """A caller's new record is in English, of standard tier, and owes nothing; that contradicts nobody."""
    link = join(rows.customer(""), rows.customer("Ada", language="es", tier="gold", open_balance=5))
    assert not link.conflicts.exists()


def test_a_choice_writes_the_field_and_is_made_once() -> None:
    """The joined record's value is written to the record that both count for; the choice names who made it."""
    root, other = rows.customer("Ada"), rows.customer("Ada Byron")
    link = join(other, root)
    settle(link, "name", "joined")
    assert says(root)["name"] == "Ada Byron"
    row = link.conflicts.get()
    assert (row.state, row.chosen, row.settled_by, row.written_to) == ("settled", "joined", "Maya", root)
    with pytest.raises(survivorship.AlreadySettled, match="Settled"):
        settle(link, "name", "root")


def test_choices_are_made_at_the_moment_of_joining() -> None:
    """Only those that were chosen; the others stay to be settled."""
    root, other = rows.customer("Ada", tier="gold"), rows.customer("Ada Byron", tier="silver")
    link = join(other, root, name="joined")
    assert says(root)["name"] == "Ada Byron"
    assert states(link) == {"name": "settled", "tier": "open"}


def test_a_conflict_of_a_joining_that_was_taken_back_cannot_be_settled() -> None:
    link = join(rows.customer("Ben"), rows.customer("Ada"))
    separate(link)
    with pytest.raises(survivorship.AlreadySettled, match="Taken back"):
        settle(link, "name", "joined")


def test_what_was_changed_since_stays_on_the_record_it_was_changed_on() -> None:
    """And the trail says so; what nobody changed goes back."""
    root, other = rows.customer(""), rows.customer("Ada", address="1 Quay")
    link = join(other, root)
    Customer.objects.filter(pk=root.pk).update(name="Ada B.")
    separate(link)
    assert (says(root)["name"], says(other)["name"]) == ("Ada B.", "Ada")
    assert "address" not in says(root)
    assert states(link) == {"name": "kept", "address": "undone"}


def test_a_value_goes_back_through_the_record_it_went_through() -> None:
    """The name went from the first to the second and on to the third; without the first, neither has it."""
    one, two, three = rows.customer("Ada"), rows.customer(""), rows.customer("")
    first = join(one, two)
    second = join(two, three)
    assert says(three)["name"] == "Ada"
    separate(first)
    assert "name" not in says(two)
    assert "name" not in says(three)
    assert states(second) == {"name": "undone"}


def test_a_conflict_that_lost_its_other_side_is_filled_in() -> None:
    """The name that it contradicted came from the joining that was taken back."""
    root, ada, dee = rows.customer(""), rows.customer("Ada"), rows.customer("Dee")
    first, second = join(ada, root), join(dee, root)
    assert states(second) == {"name": "open"}
    separate(first)
    assert says(root)["name"] == "Dee"
    assert states(second) == {"name": "filled"}
    separate(second)
    assert "name" not in says(root)


def test_a_choice_between_values_that_are_gone_is_to_be_made_anew() -> None:
    """Ada was preferred to Dee; then Ada turned out to be somebody else, and Eve is the name on the record."""
    root, ada, dee = rows.customer("Eve"), rows.customer("Ada"), rows.customer("Dee")
    first, second = join(ada, root, name="joined"), join(dee, root, name="root")
    separate(first)
    assert says(root)["name"] == "Eve"
    row = second.conflicts.get()
    assert (row.state, row.root_value, row.joined_value, row.chosen) == ("open", "Eve", "Dee", "")


def test_a_pair_is_to_be_looked_at_again_when_it_is_two_records_again() -> None:
    """Whichever way it was joined, and also when the records are joined through a third one."""
    one, two, three = (rows.customer(name) for name in ("Ada", "Ben", "Cleo"))
    pair = MatchCandidate.objects.create(customer=one, other=three)
    dismissed = MatchCandidate.objects.create(customer=one, other=two, state="dismissed")
    join(one, two)
    link = join(two, three)
    pair.refresh_from_db()
    assert (pair.state, pair.settled_at is not None) == ("joined", True)
    with pytest.raises(candidates.AlreadySettled):
        candidates.dismiss(pair, None)
    separate(link)
    pair.refresh_from_db()
    dismissed.refresh_from_db()
    assert (pair.state, pair.settled_at, dismissed.state) == ("open", None, "dismissed")


@pytest.mark.parametrize("through", [[], ["two"], ["two", "three"]])
def test_a_record_is_never_joined_into_itself(through: list[str]) -> None:
    """Not directly, and not around a circle."""
    records = {name: rows.customer(name) for name in ("one", "two", "three")}
    at = "one"
    for name in through:
        join(records[at], records[name])
        at = name
    for pair in itertools.product(["one", *through], repeat=2):
        with pytest.raises(merging.OneRecordAlready):
            join(records[pair[0]], records[pair[1]])
    assert CustomerLink.objects.count() == len(through)


NAMES = ["Ada", "Ben", "Cleo", "Dee"]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("join"), st.integers(0, 3), st.integers(0, 3)),
        st.tuples(st.just("separate"), st.integers(0, 7), st.just(0)),
        st.tuples(st.just("settle"), st.integers(0, 7), st.sampled_from(["root", "joined"])),
    ),
    max_size=14,
)


@given(st.lists(st.sampled_from(["", *NAMES[:3]]), min_size=4, max_size=4), STEPS, st.randoms(use_true_random=False))
@examples(50)
def test_in_whatever_order_joinings_are_taken_back_nothing_is_left_of_them(names: list[str], steps: list[Any], random: Any) -> None:
    """After the last one each record says what it said at first; and in between, a record says nothing that nobody of it says."""
    with transaction.atomic():
        people = [rows.customer(name, attributes={"nick": name} if name else {}) for name in names]
        before = [says(each) for each in people]
        for what, number, other in steps:
            links = list(CustomerLink.objects.filter(active=True).order_by("pk"))
            open_ones = list(FieldConflict.objects.filter(state="open").order_by("pk"))
            if what == "join":
                silently(lambda number=number, other=other: join(people[number], people[other]))
            elif what == "separate" and links:
                separate(links[number % len(links)])
            elif what == "settle" and open_ones:
                survivorship.settle(open_ones[number % len(open_ones)], other, settled_by="Maya")
            for each in people:
                root = Customer.objects.get(pk=each.pk).root or each
                together = Customer.objects.filter(pk=root.pk) | Customer.objects.filter(root=root)
                own = {names[people.index(one)] for one in together}
                assert says(root).get("name", "") in own
                assert says(root).get("name") or own == {""}
        links = list(CustomerLink.objects.filter(active=True))
        random.shuffle(links)
        for link in links:
            separate(link)
        assert [says(each) for each in people] == before
        assert set(FieldConflict.objects.values_list("state", flat=True)) <= {"undone"}
        transaction.set_rollback(True)


def silently(work: Callable[[], Any]) -> None:
    try:
        work()
    except merging.OneRecordAlready:
        pass


def test_field_conflict_rules() -> None:
    """A conflict stands once per link and field, and says what was chosen by whom and when, or nothing of it."""
    link = join(rows.customer("Ben"), rows.customer("Ada"))
    row = link.conflicts.get()
    change = FieldConflict.objects.filter(pk=row.pk).update
    refused("field_conflict_stands_once_per_link_and_field", lambda: FieldConflict.objects.create(link=link, field="name", state="open"))
    refused("field_conflict_state_is_known", lambda: change(state="perhaps"))
    refused("field_conflict_choice_is_known", lambda: change(state="settled", chosen="both", settled_by="Maya", settled_at=NOW))
    refused("field_conflict_says_who_chose_and_when", lambda: change(state="settled", chosen="root"))
    refused("settled_field_conflict_says_what_was_chosen", lambda: change(state="settled"))
    refused("open_field_conflict_has_changed_nothing", lambda: change(written_to=link.into))
    refused("filled_field_conflict_says_where_it_was_written", lambda: change(state="filled"))
