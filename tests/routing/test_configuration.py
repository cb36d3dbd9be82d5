"""What is set up is read again after a change, whoever makes it, and only then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import UUID

import pytest
from django.db import connection, transaction
from pytest_django import DjangoAssertNumQueries

from conversations.models import Playbook, PlaybookForm
from routing.configuration import as_it_stands, kept
from routing.models import Configuration, ReasonCode, ReasonPhrase, ServiceHours, ServiceHoursException

pytestmark = pytest.mark.django_db(transaction=True)


def stamp() -> UUID:
    return Configuration.objects.get().stamp


@pytest.fixture
def reason() -> ReasonCode:
    return ReasonCode.objects.create(code="leak", name="Leak")


@pytest.fixture
def names() -> Callable[[], tuple[str, ...]]:
    """A kept function of the test's own."""
    return kept(lambda: tuple(ReasonCode.objects.order_by("code").values_list("name", flat=True)))


def phrase(reason: ReasonCode) -> None:
    ReasonPhrase.objects.create(reason=reason, text="it drips")


def another_name(reason: ReasonCode) -> None:
    ReasonCode.objects.filter(pk=reason.pk).update(name="Leaks")


def an_exception(_reason: ReasonCode) -> None:
    hours = ServiceHours.objects.create(code="always", name="Always", time_zone="Europe/London", expression="24/7")
    ServiceHoursException.objects.create(hours=hours, date=date(2026, 12, 24))


def a_playbook(_reason: ReasonCode) -> None:
    Playbook.objects.create(code="house", name="House", persona="Kind", disclosure="I am an AI.")


def a_start_of_a_form(reason: ReasonCode) -> None:
    playbook = Playbook.objects.create(code="house", name="House", persona="Kind", disclosure="I am an AI.")
    form = PlaybookForm.objects.create(playbook=playbook, code="visit", name="Visit")
    before = stamp()
    form.reasons.add(reason)
    assert stamp() != before


def by_hand(reason: ReasonCode) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE routing_reasoncode SET name = 'Leaking' WHERE id = %s", [reason.pk])


@pytest.mark.parametrize("change", [phrase, another_name, an_exception, a_playbook, a_start_of_a_form, by_hand])
def test_each_change_has_another_stamp(change: Callable[[ReasonCode], None], reason: ReasonCode) -> None:
    before = stamp()
    change(reason)
    assert stamp() != before


def test_what_is_kept_is_read_again_after_a_change(
    reason: ReasonCode, names: Callable[[], tuple[str, ...]], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    assert names() == ("Leak",)
    with django_assert_num_queries(1):
        assert names() == ("Leak",)
    another_name(reason)
    assert names() == ("Leaks",)


def test_within_one_moment_the_stamp_is_asked_for_once(
    reason: ReasonCode, names: Callable[[], tuple[str, ...]], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    names()
    with django_assert_num_queries(1), as_it_stands():
        assert [names(), names()] == [("Leak",)] * 2
    with as_it_stands():
        another_name(reason)
        assert names() == ("Leak",)
    assert names() == ("Leaks",)


def test_a_change_that_was_taken_back_leaves_nothing_behind(reason: ReasonCode, names: Callable[[], tuple[str, ...]]) -> None:
    names()
    with transaction.atomic():
        another_name(reason)
        assert names() == ("Leaks",)
        transaction.set_rollback(True)
    assert names() == ("Leak",)
    ReasonCode.objects.create(code="noise", name="Noise")
    assert names() == ("Leak", "Noise")


def test_what_is_asked_differently_is_kept_apart(reason: ReasonCode) -> None:
    asked: list[str] = []

    @kept
    def name_of(code: str) -> str:
        asked.append(code)
        return ReasonCode.objects.get(code=code).name

    ReasonCode.objects.create(code="noise", name="Noise")
    assert [name_of("leak"), name_of("noise"), name_of("leak")] == ["Leak", "Noise", "Leak"]
    assert asked == ["leak", "noise"]
    assert [name_of(code="leak"), name_of(code="noise")] == ["Leak", "Noise"]
    with pytest.raises(ReasonCode.DoesNotExist):
        name_of("gone")
    ReasonCode.objects.create(code="gone", name="Here")
    assert name_of("gone") == "Here"
