"""Selects that are compiled once give what the same queryset gives, for whatever values, on whatever thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from routing.compiled import CompiledOnce, Given, compile_all
from routing.models import Queue, ReasonCode, ServiceHours, ServiceHoursException
from tests.routing.conftest import Company


def queue_by_code() -> CompiledOnce[Queue]:
    return CompiledOnce(lambda: Queue.objects.filter(code=Given("code")).select_related("hours", "service_level"))


def test_rows_are_the_orms_with_the_rows_that_belong_to_them(company: Company) -> None:
    one = queue_by_code()
    for queue in Queue.objects.select_related("hours", "service_level"):
        with CaptureQueriesContext(connection) as ran:
            found = one.get(code=queue.code)
            belongs = (found.service_level, found.hours)
        assert len(ran) == 1
        assert belongs == (queue.service_level, queue.hours)
        assert {**vars(found), "_state": None} == {**vars(queue), "_state": None}


def test_a_found_row_can_be_changed(company: Company) -> None:
    found = queue_by_code().get(code="billing")
    found.name = "Anything else"
    found.save(update_fields=["name"])
    assert Queue.objects.get(code="billing").name == "Anything else"


def test_plain_values_in_an_order_and_no_more_than_are_wanted(company: Company) -> None:
    codes = CompiledOnce(lambda: ReasonCode.objects.filter(code__any_of=Given("codes")).order_by("-code").values_list("code", "name")[:2])
    every = sorted(ReasonCode.objects.values_list("code", flat=True))
    assert [code for code, _name in codes.all(codes=every)] == every[::-1][:2]
    assert codes.all(codes=[]) == []
    assert [code for code, _name in codes.all(codes={every[0]})] == [every[0]]


@pytest.mark.parametrize("code", ["", "%s", "' OR ''='", "billing'; --", "{}", "ünïcödé"])
def test_a_value_is_nothing_but_a_value(company: Company, code: str) -> None:
    assert queue_by_code().first(code=code) is None
    assert queue_by_code().first(code="billing") is not None


def test_numbers_of_every_size_find_the_same_rows(company: Company) -> None:
    by_number = CompiledOnce(lambda: Queue.objects.filter(pk__any_of=Given("numbers")).order_by("pk"))
    every = list(Queue.objects.order_by("pk"))
    assert by_number.all(numbers=[*(queue.pk for queue in every), 2**15, 2**31, 2**62]) == every


def test_values_of_other_types_are_compared_as_the_column_is(company: Company) -> None:
    hours = ServiceHours.objects.create(code="spring", name="Spring", time_zone="Europe/London", expression="24/7")
    ServiceHoursException.objects.create(hours=hours, date=date(2027, 3, 1), expression="")
    since = CompiledOnce(lambda: ServiceHoursException.objects.filter(hours=Given("hours"), date__gte=Given("since")).values_list("date"))
    assert since.all(hours=hours.pk, since=date.min) == [(date(2027, 3, 1),)]
    assert since.all(hours=hours.pk, since=date(2027, 3, 2)) == []


def test_what_is_missing_is_said(company: Company) -> None:
    with pytest.raises(KeyError, match="code"):
        queue_by_code().all()
    with pytest.raises(Queue.DoesNotExist):
        queue_by_code().get(code="no_such_queue")


@pytest.mark.django_db(transaction=True)
def test_rows_are_locked_in_a_transaction_alone(deciding_company: Company) -> None:
    locked = CompiledOnce(lambda: Queue.objects.filter(code=Given("code")).select_for_update(of=("self",)).select_related("service_level"))
    with pytest.raises(TransactionManagementError):
        locked.get(code="billing")
    with transaction.atomic():
        assert locked.get(code="billing").code == "billing"
    with pytest.raises(TransactionManagementError):
        locked.get(code="billing")


@pytest.mark.django_db(transaction=True)
def test_every_thread_asks_on_its_own_connection(deciding_company: Company) -> None:
    one = queue_by_code()
    codes = list(Queue.objects.values_list("code", flat=True)) * 20

    def ask(code: str) -> str:
        try:
            return one.get(code=code).code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(ask, codes)) == codes


def test_all_can_be_compiled_before_they_are_used(company: Company) -> None:
    made: list[str] = []

    def queues() -> QuerySet[Queue]:
        made.append("queues")
        return Queue.objects.filter(code=Given("code")).select_for_update()

    one = CompiledOnce(queues)
    compile_all()
    compile_all()
    with transaction.atomic():
        assert one.get(code="billing").code == "billing"
    assert made == ["queues"]
