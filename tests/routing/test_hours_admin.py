"""The pages of opening hours: what is typed, what it means for the next days, and calendar files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from routing.models import ServiceHours, ServiceHoursException
from tests.routing.calendar_files import all_day, calendar

NOW = "2026-12-18T12:00:00Z"


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    """A week before Christmas."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def manager(client: Client, db: None) -> Client:
    client.force_login(User.objects.create(username="mia", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def hours(db: None) -> ServiceHours:
    return ServiceHours.objects.create(
        code="office", name="Office", time_zone="Europe/London", expression="Mo-Th 08:00-18:00; Fr 22:00-06:00; PH off", country="GB"
    )


def change_page(hours: ServiceHours) -> str:
    return reverse("admin:routing_servicehours_change", args=[hours.pk])


def import_page(hours: ServiceHours) -> str:
    return reverse("admin:routing_servicehours_import", args=[hours.pk])


def form_of(hours: ServiceHours, **changes: str) -> dict[str, str]:
    empty = {"exceptions-TOTAL_FORMS": "0", "exceptions-INITIAL_FORMS": "0"}
    parts = {name: getattr(hours, name) for name in ("name", "code", "time_zone", "expression", "country", "subdivision")}
    return parts | empty | changes


def upload(client: Client, hours: ServiceHours, text: str | bytes) -> Any:
    data = text.encode() if isinstance(text, str) else text
    return client.post(import_page(hours), {"file": SimpleUploadedFile("days.ics", data)})


def confirm(client: Client, hours: ServiceHours, preview: Any, **changes: str) -> Any:
    sent = {"kept": preview.context["kept"], "fingerprint": preview.context["plan"].fingerprint}
    return client.post(import_page(hours), sent | changes, follow=True)


def test_the_next_fourteen_days_are_shown_with_why(manager: Client, hours: ServiceHours) -> None:
    """Ordinary days, nights, holidays by name and exceptions with their note."""
    ServiceHoursException.objects.create(hours=hours, date="2026-12-24", expression="22:00-02:00", note="Staff & party")
    rows = [(f"{day.date:%a %d}", day.times, day.why) for day in manager.get(change_page(hours)).context["coming_days"]]
    assert len(rows) == 14
    assert rows[0] == ("Fri 18", ["22:00–06:00 next day"], "Ordinary")
    assert rows[3] == ("Mon 21", ["08:00–18:00"], "Ordinary")
    assert rows[6] == ("Thu 24", ["22:00–02:00 next day"], "Exception: Staff & party")
    assert rows[7] == ("Fri 25", [], "Public holiday: Christmas Day")
    page = manager.get(change_page(hours)).content.decode()
    for words in ("22:00–06:00 next day", "Public holiday: Christmas Day", "Staff &amp; party", "clocks in Europe/London"):
        assert words in page
    hours.expression = "Mo-Fr 08:00-18:00"
    hours.save()
    assert "Ordinary: Christmas Day has no rule of its own" in manager.get(change_page(hours)).content.decode()


def test_hours_that_cannot_be_read_any_more_can_still_be_put_right(manager: Client, hours: ServiceHours) -> None:
    """The list and the page open, and say what is wrong."""
    ServiceHours.objects.filter(pk=hours.pk).update(expression="sunrise-sunset")
    assert "Cannot be read" in manager.get(reverse("admin:routing_servicehours_changelist")).content.decode()
    assert "“sunrise-sunset” cannot be read" in manager.get(change_page(hours)).content.decode()
    manager.post(change_page(hours), form_of(hours, expression="Mo 08:00-18:00"))
    hours.refresh_from_db()
    assert hours.expression == "Mo 08:00-18:00"


def test_time_zones_and_countries_are_chosen_by_name(manager: Client, hours: ServiceHours) -> None:
    """Lists with names; what is not in them is refused at its field, and what does not fit together at the hours."""
    page = manager.get(change_page(hours)).content.decode()
    assert '<option value="Australia/Lord_Howe">Australia/Lord Howe</option>' in page
    assert '<option value="GB" selected>United Kingdom</option>' in page
    assert ">Isle of Man</option>" in page
    for changes, sentence in (
        ({"time_zone": "Europe/Atlantis"}, "Select a valid choice"),
        ({"country": "ZZ"}, "Select a valid choice"),
        ({"country": ""}, "needs the country"),
        ({"subdivision": "XX"}, "ENG, NIR, SCT, WLS"),
        ({"expression": "PH off; Mo-Fr 08:00-18:00"}, "last"),
    ):
        assert sentence in manager.post(change_page(hours), form_of(hours, **changes)).content.decode()
    assert manager.post(change_page(hours), form_of(hours, time_zone="Australia/Lord_Howe")).status_code == 302
    hours.refresh_from_db()
    assert hours.time_zone == "Australia/Lord_Howe"


def test_years_of_exceptions_do_not_break_the_page(manager: Client, hours: ServiceHours) -> None:
    """The nearest hundred are shown, and the page can be saved; the others are counted, kept, and not doubled."""
    days = [date(2026, 12, 18) + timedelta(days=number) for number in range(-50, 400)]
    ServiceHoursException.objects.bulk_create(ServiceHoursException(hours=hours, date=day) for day in days)
    page = manager.get(change_page(hours))
    formset = page.context["inline_admin_formsets"][0].formset
    assert [form.instance.date for form in formset.initial_forms] == days[49:149]
    assert "350 more exceptional days" in page.content.decode()
    rows = {f"exceptions-{n}-{name}": value for n, form in enumerate(formset.initial_forms) for name, value in _row(form.instance).items()}
    rows |= {"exceptions-TOTAL_FORMS": "101", "exceptions-INITIAL_FORMS": "100", "exceptions-1-expression": "10:00-14:00"}
    rows |= {"exceptions-100-hours": str(hours.pk), "exceptions-100-date": "2027-11-01", "exceptions-100-expression": ""}
    assert "exceptional day already" in manager.post(change_page(hours), form_of(hours) | rows).content.decode()
    rows["exceptions-100-date"] = ""
    assert manager.post(change_page(hours), form_of(hours) | rows).status_code == 302
    assert hours.exceptions.count() == 450
    assert hours.exceptions.get(date="2026-12-18").expression == "10:00-14:00"


def _row(row: ServiceHoursException) -> dict[str, str]:
    return {"id": str(row.pk), "hours": str(row.hours_id), "date": str(row.date), "expression": row.expression, "note": row.note}


def test_a_calendar_is_shown_before_it_is_imported(manager: Client, hours: ServiceHours) -> None:
    """Days to add, change and leave; nothing is written until that is confirmed, and then the history has it."""
    ServiceHoursException.objects.create(hours=hours, date="2026-12-24", expression="09:00-12:00", note="Typed")
    ServiceHoursException.objects.create(hours=hours, date="2026-12-31", expression="", note="Typed")
    ServiceHoursException.objects.create(hours=hours, date="2027-02-01", expression="", note="Typed")
    text = calendar(
        all_day("20261224", SUMMARY="Christmas Eve 10:00-14:00"),
        all_day("20261231", SUMMARY="New Year's Eve"),
        all_day("20270104", SUMMARY="<b>Stocktaking</b>"),
        all_day("20200104", SUMMARY="Long ago"),
    )
    preview = upload(manager, hours, text)
    page = preview.content.decode()
    for words in ("Days to add: 1, to change: 1, already as the file says: 1.", "over (1)", "09:00-12:00", "&lt;b&gt;Stocktaking"):
        assert words in page
    assert "<b>Stocktaking" not in page
    assert hours.exceptions.count() == 3
    done = confirm(manager, hours, preview)
    assert "Days added: 1, changed: 1, left alone: 1." in done.content.decode()
    stored = {str(row.date): (row.expression, row.note) for row in hours.exceptions.all()}
    assert stored == {
        "2026-12-24": ("10:00-14:00", "Christmas Eve 10:00-14:00"),
        "2026-12-31": ("", "Typed"),
        "2027-01-04": ("", "<b>Stocktaking</b>"),
        "2027-02-01": ("", "Typed"),
    }
    assert "Days added: 1" in LogEntry.objects.get().change_message
    assert "Stocktaking" in manager.get(reverse("admin:routing_servicehours_history", args=[hours.pk])).content.decode()
    again = upload(manager, hours, text)
    assert (again.context["plan"].added, again.context["plan"].changed, again.context["plan"].left) == (0, 0, 3)
    assert ">Import</button>" not in again.content.decode()


def test_what_was_not_looked_at_is_not_imported(manager: Client, hours: ServiceHours) -> None:
    """Somebody else changes a day in between: nothing is written, and the preview is shown anew."""
    preview = upload(manager, hours, calendar(all_day("20261224"), all_day("20270104")))
    ServiceHoursException.objects.create(hours=hours, date="2026-12-24", expression="08:00-09:00")
    page = confirm(manager, hours, preview)
    assert "changed meanwhile" in page.content.decode()
    assert hours.exceptions.get().expression == "08:00-09:00"
    confirm(manager, hours, page)
    assert set(hours.exceptions.values_list("expression", flat=True)) == {""}
    assert hours.exceptions.count() == 2


def test_a_file_is_kept_for_these_hours_and_an_hour(manager: Client, hours: ServiceHours) -> None:
    """A confirmation for other hours, or after the file is gone, imports nothing."""
    other = ServiceHours.objects.create(code="other", name="Other", time_zone="UTC", expression="24/7")
    preview = upload(manager, hours, calendar(all_day("20261224")))
    assert "Upload it again" in confirm(manager, other, preview).content.decode()
    cache.clear()
    assert "Upload it again" in confirm(manager, hours, preview).content.decode()
    assert not ServiceHoursException.objects.exists()


def test_a_broken_file_is_refused_at_the_field(manager: Client, hours: ServiceHours) -> None:
    """With the line and what to do; without a file, that one is needed."""
    page = upload(manager, hours, calendar(all_day("20261399"))).content.decode()
    assert "Line 6" in page
    assert "Nothing was imported" in page
    assert "larger than the 1000 kB" in upload(manager, hours, b"x" * 2_000_000).content.decode()
    assert "empty" in upload(manager, hours, "").content.decode()
    assert "required" in manager.post(import_page(hours), {}).content.decode()


def test_only_who_may_change_hours_imports(client: Client, hours: ServiceHours) -> None:
    """Seeing the page is not enough: neither the door nor its sign."""
    user = User.objects.create(username="vic", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_servicehours"))
    client.force_login(user)
    assert import_page(hours) not in client.get(change_page(hours)).content.decode()
    assert client.get(import_page(hours)).status_code == 403
    assert upload(client, hours, calendar(all_day("20261224"))).status_code == 403
    client.logout()
    assert client.get(import_page(hours)).status_code == 302
