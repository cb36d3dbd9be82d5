"""Importing and exporting customers in the admin."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse

from conversations.admin import customer_import
from conversations.models import Customer, Identifier
from tests.reporting import cast

pytestmark = pytest.mark.django_db
IMPORT = "admin:conversations_customer_import"
FILE = "external_id,name,email,phone\nA-1,Mary Price,mary@example.com,01632 960111\nA-2,<script>x</script>,nobody,\n"


@pytest.fixture
def manager(client):
    user = cast.manager()
    client.force_login(user)
    return user


def upload(client, text: str | bytes = FILE, **options):
    file = SimpleUploadedFile("customers.csv", text.encode() if isinstance(text, str) else text)
    data = {"import_file": file, "system": "crm", "region": "GB", "differences": "ours", "resource": "0", "format": "0"}
    return client.post(reverse(IMPORT), data | options)


def confirm(client, preview, **changes):
    form = preview.context["confirm_form"]
    data = {name: "" if (value := form.initial.get(name)) in (None, False) else value for name in form.fields}
    return client.post(reverse("admin:conversations_customer_process_import"), data | changes, follow=True)


def test_a_quotation_mark_that_is_never_closed_swallows_no_rows(client, manager):
    """The file is refused, with the line where to look."""
    refused = upload(client, 'external_id,name\nA-1,Mary\nA-2,"Peter\nA-3,Paul\n').content.decode()
    assert "Line 3 goes on to the end of the file" in refused
    assert "Look for a quotation mark that is not closed" in refused
    whole = upload(client, 'external_id,name\nA-1,Mary\nA-2,"Peter ""Pit""\nof Hull"').content.decode()
    assert "Peter &quot;Pit&quot; of Hull" in whole


def test_a_file_is_shown_before_it_is_imported(client, manager):
    """What each row would do, with the troubles of its cells; nothing is written until it is confirmed."""
    preview = upload(client)
    text = preview.content.decode()
    for words in ("would be created", "Mary Price", "is not an email address", "&lt;script&gt;"):
        assert words in text
    assert "<script>x" not in text
    assert not Customer.objects.exists()
    done = confirm(client, preview).content.decode()
    assert "Imported 2 rows: 2 customers created" in done
    assert sorted(Customer.objects.values_list("name", flat=True)) == ["<script>x</script>", "Mary Price"]
    assert LogEntry.objects.get().object_repr.startswith("Imported 2 rows")
    again = upload(client)
    assert (again.context["result"].report.unchanged, again.context["result"].report.created) == (2, 0)


def test_the_options_hold_until_it_is_confirmed(client, manager):
    """Who vouches for addresses, whose word counts, and which country numbers are of."""
    mary = cast.customer("Mary", external="crm:A-1")
    preview = upload(client, vouched="on", differences="theirs")
    assert "Other system crm:A-1 (Verified)" in preview.content.decode()
    confirm(client, preview)
    mary.refresh_from_db()
    assert mary.name == "Mary Price"
    assert Identifier.objects.get(customer=mary, kind="phone").assurance == "verified"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colour\nred\n", "No column of customers was found"),
        ("", "submitted file is empty"),
        ('name\n"x', "Line 2 goes on to the end of the file"),
    ],
)
def test_what_is_no_table_of_customers_is_explained(client, manager, text, said):
    """At the field, in words that say what to do."""
    assert said in upload(client, text).content.decode()


def test_a_file_that_is_too_large_is_refused_kindly(client, manager):
    """With what fits, and what to do instead."""
    text = upload(client, b"name\n" + b"x" * (customer_import.MOST_MEGABYTES * 2**20)).content.decode()
    assert "This file is larger than the 10 MB that can be imported here." in text
    assert not Customer.objects.exists()


def test_a_file_with_too_many_rows_to_wait_for_is_refused(client, manager):
    """With what to do instead; the server's own command takes any number."""
    text = upload(client, "name\n" + "x\n" * (customer_import.MOST_ROWS + 1)).content.decode()
    assert "This file has more than the 10000 rows that can be imported here." in text


def test_a_file_that_is_gone_is_asked_for_again(client, manager):
    """After an hour, or when it was imported already."""
    preview = upload(client)
    cache.clear()
    assert "Upload it again" in confirm(client, preview).content.decode()


@pytest.mark.parametrize("changes", [{"import_file_name": ""}, {"format": "7"}, {"format": "x"}, {"system": "<b>"}, {"differences": "?"}])
def test_a_confirmation_that_was_changed_imports_nothing(client, manager, changes):
    """And is no error of the program."""
    assert confirm(client, upload(client), **changes).status_code == 200
    assert not Customer.objects.exists()


def test_only_those_who_may_import_or_export(client, manager):
    """Each by a permission of its own; the list shows only the doors that open."""
    colleague = User.objects.create_user("colleague", is_staff=True)
    colleague.user_permissions.add(Permission.objects.get(codename="view_customer"))
    client.force_login(colleague)
    text = client.get(reverse("admin:conversations_customer_changelist")).content.decode()
    assert reverse(IMPORT) not in text
    assert "customer/export" not in text
    assert client.get(reverse(IMPORT)).status_code == upload(client).status_code == 403
    assert client.post(reverse("admin:conversations_customer_process_import")).status_code == 403
    assert client.get(reverse("admin:conversations_customer_export")).status_code == 403


def test_what_is_listed_is_exported_and_can_be_imported_again(client, manager):
    """In cells that no spreadsheet runs; the import takes the apostrophe away again."""
    mary = cast.customer("=Mary", phone="+441632960111", external="crm:A-1")
    Customer.objects.filter(pk=mary.pk).update(attributes={"card": "@7"}, date_of_birth=date(1980, 5, 3))
    cast.customer("Peter", email="peter@example.com")
    export = reverse("admin:conversations_customer_export")
    raw = client.get(export, {"q": "01632960111"}).content
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    assert [(row["name"], row["phone"], row["external_id"], row["attributes.card"]) for row in rows] == [
        ("'=Mary", "'+441632960111", "crm:A-1", "'@7")
    ]
    assert len(client.get(export).content.decode().strip().splitlines()) == 3
    report = upload(client, raw).context["result"].report
    assert (report.unchanged, report.linked, report.conflicts, report.problems) == (1, 0, 0, 0)
    assert LogEntry.objects.count() == 2


def test_the_command_previews_imports_and_reports(tmp_path, capsys):
    """As the admin does, without a limit of size."""
    file, report = tmp_path / "c.csv", tmp_path / "report.csv"
    file.write_text(FILE + "A-3,Ola,=1+1@,\n")
    call_command("import_customers", str(file), "--dry-run", "--region", "gb")
    said = capsys.readouterr().out
    assert "line 3, email: " in said
    assert "3 rows: 3 customers would be created" in said
    assert not Customer.objects.exists()
    call_command("import_customers", str(file), "--region", "gb", "--report", str(report))
    assert "3 customers were created" in capsys.readouterr().out
    assert len(report.read_text("utf-8-sig").splitlines()) == 3
    call_command("import_customers", str(file), "--region", "gb")
    assert "0 customers were created, 0 changed, 3 left" in capsys.readouterr().out


@pytest.mark.parametrize(("arguments", "said"), [(["missing.csv"], "cannot be opened"), (["bad.csv"], "No column of customers")])
def test_the_command_says_what_is_wrong(tmp_path, monkeypatch, arguments, said):
    """A file that is not there, or no table of customers."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.csv").write_text("colour\nred\n")
    with pytest.raises(CommandError, match=said):
        call_command("import_customers", *arguments)
