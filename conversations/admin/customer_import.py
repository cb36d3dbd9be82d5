"""Importing customers in the admin: a file is uploaded and previewed, and imported when that was confirmed.

django-import-export keeps the file between the two steps and holds the doors; what a file does is decided in
`services.importing`.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from import_export.admin import ImportMixin
from import_export.formats.base_formats import Format
from import_export.forms import ConfirmImportForm, ImportForm
from import_export.resources import Resource
from import_export.results import Result
from import_export.tmp_storages import CacheStorage
from phonenumbers import SUPPORTED_REGIONS

from conversations.models import Customer, EntryPoint
from conversations.services import importing, manager_log
from conversations.services.import_files import COLUMNS, CustomerFile, SourceRow, UnreadableFile, open_file
from conversations.services.import_report import Report, add_up
from conversations.services.import_rows import SYSTEM, Options

MOST_MEGABYTES = 10
MOST_ROWS = 10_000
"""A row takes two to four milliseconds, and whoever uploads waits: a proxy in front gives up after a minute."""
OURS, THEIRS = "ours", "theirs"
OPTIONS = ("system", "region", "vouched", "differences")


class KeptFile(CacheStorage):  # type: ignore[misc]  # the library has no types
    """An uploaded file until it is confirmed, for an hour, where every web process finds it."""

    CACHE_LIFETIME = 3600


class CustomerFormat(Format):  # type: ignore[misc]
    """A CSV file as `services.import_files` reads it."""

    def __init__(self, encoding: str | None = None) -> None:
        """The encoding that the library expects is not asked for."""

    def get_title(self) -> str:
        """How the format is named."""
        return "CSV"

    def can_import(self) -> bool:
        """It is for importing only."""
        return True

    def is_binary(self) -> bool:
        """Its encoding is found by what is in it."""
        return True

    def create_dataset(self, in_stream: bytes | None) -> CustomerFile:
        """The opened file with all its rows. Raises UnreadableFile."""
        if in_stream is None:
            raise UnreadableFile(_("The uploaded file was kept for an hour and is gone now. Upload it again."))
        opened = open_file(in_stream)
        rows = list[SourceRow](islice(opened.rows, MOST_ROWS + 1))
        if len(rows) > MOST_ROWS:
            too_many = _("This file has more than the %(most)d rows that can be imported here. Split it or import it on the server.")
            raise UnreadableFile(too_many % {"most": MOST_ROWS})
        return CustomerFile(opened.columns, opened.ignored, iter(rows))


class Outcomes(Result):  # type: ignore[misc]
    """What the library passes on, with our report in it. What is wrong with rows is in the report, so it never counts as failed."""

    report: Report
    ignored: tuple[str, ...]


class CustomerResource(Resource):  # type: ignore[misc]
    """Hands a file over to `services.importing`."""

    def __init__(self, options: Options | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.how = options

    @classmethod
    def get_display_name(cls) -> str:
        """How the library names it."""
        return str(Customer._meta.verbose_name_plural)

    def import_data(self, dataset: CustomerFile, dry_run: bool = False, **kwargs: Any) -> Outcomes:
        """Previews or imports all rows."""
        how = self.how or Options("crm")
        outcomes = Outcomes()
        outcomes.ignored = dataset.ignored
        outcomes.report = add_up(importing.preview(dataset.rows, how) if dry_run else importing.run(dataset.rows, how))
        return outcomes


class UploadForm(ImportForm):  # type: ignore[misc]
    """The file, and how it is to be read."""

    system = forms.RegexField(
        regex=SYSTEM,
        initial="crm",
        label=gettext_lazy("Comes from"),
        help_text=gettext_lazy("A short name of the system, such as crm. Its own ids are kept as crm:10042."),
        error_messages={"invalid": gettext_lazy("Use small letters, digits, dots and hyphens, such as crm.")},
    )
    region = forms.ChoiceField(
        label=gettext_lazy("Country of phone numbers"),
        choices=[("", gettext_lazy("All have their country code")), *((region, region) for region in sorted(SUPPORTED_REGIONS))],
        required=False,
        help_text=gettext_lazy("Numbers without a country code are of this country."),
    )
    vouched = forms.BooleanField(
        label=gettext_lazy("The system has verified email addresses and phone numbers"),
        required=False,
        help_text=gettext_lazy("Only then do they say who somebody is. Otherwise they are kept as claimed."),
    )
    differences = forms.ChoiceField(
        label=gettext_lazy("Where file and record differ"),
        choices=[(OURS, gettext_lazy("Keep what is known here")), (THEIRS, gettext_lazy("Take what the file says"))],
        initial=OURS,
        help_text=gettext_lazy("Empty cells never erase anything."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["import_file"].label = _("CSV file")
        self.fields["import_file"].help_text = _("Its first line names the columns: %(columns)s, and attributes.* for anything else.") % {
            "columns": ", ".join(COLUMNS)
        }
        self.fields["format"].required = False
        self.fields["format"].widget = forms.HiddenInput()

    def clean_import_file(self) -> Any:
        """Refuses what is too large to be previewed while somebody waits."""
        file = self.cleaned_data["import_file"]
        if file.size > MOST_MEGABYTES * 2**20:
            raise forms.ValidationError(
                _("This file is larger than the %(most)d MB that can be imported here. Split it, or have it imported on the server.")
                % {"most": MOST_MEGABYTES}
            )
        return file

    def clean_format(self) -> str:
        """There is one format."""
        return "0"


class ConfirmForm(ConfirmImportForm):  # type: ignore[misc]
    """The kept file and the same options, unseen."""

    format = forms.ChoiceField(choices=[("0", "CSV")], widget=forms.HiddenInput())
    system = forms.RegexField(regex=SYSTEM, widget=forms.HiddenInput())
    region = forms.CharField(required=False, max_length=2, widget=forms.HiddenInput())
    vouched = forms.BooleanField(required=False, widget=forms.HiddenInput())
    differences = forms.ChoiceField(choices=[(OURS, OURS), (THEIRS, THEIRS)], widget=forms.HiddenInput())


class CustomerImport(ImportMixin):  # type: ignore[misc]
    """The pages at `import/`, for whoever may import customers."""

    resource_classes = [CustomerResource]
    import_form_class = UploadForm
    confirm_form_class = ConfirmForm
    tmp_storage_class = KeptFile
    skip_admin_log = True
    import_template_name = "admin/conversations/customer_import.html"
    import_export_change_list_template = "admin/conversations/customer_list.html"

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Who may import."""
        return request.user.has_perm("conversations.import_customer")

    def get_import_formats(self) -> list[type[Format]]:
        """CSV alone."""
        return [CustomerFormat]

    def get_import_form_initial(self, request: HttpRequest) -> dict[str, Any]:
        """The country of one of the company's own doors is the likeliest."""
        region = EntryPoint.objects.order_by("pk").values_list("default_region", flat=True).first()
        return {**super().get_import_form_initial(request), "region": region or ""}

    def get_confirm_form_initial(self, request: HttpRequest, import_form: Any) -> dict[str, Any]:
        """What was chosen with the upload."""
        chosen = {name: import_form.cleaned_data[name] for name in OPTIONS} if import_form else {}
        return {**super().get_confirm_form_initial(request, import_form), **chosen}

    def get_import_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        """The options of a form that was filled in."""
        form = kwargs.get("form")
        if form is None or not getattr(form, "cleaned_data", None) or not form.is_valid():
            return {}
        asked = form.cleaned_data
        return {"options": Options(asked["system"], asked["region"], asked["vouched"], asked["differences"] == THEIRS)}

    def add_data_read_fail_error_to_form(self, form: Any, e: Exception) -> None:
        """Says what the file lacks; any other failure is one of the program and is not hidden."""
        if not isinstance(e, UnreadableFile):
            raise e
        form.add_error("import_file", str(e))

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Imports what was confirmed."""
        try:
            response: HttpResponse = super().process_import(request, **kwargs)
        except UnreadableFile as error:
            messages.error(request, str(error))
            return redirect("admin:conversations_customer_import")
        return response

    def process_result(self, result: Outcomes, request: HttpRequest) -> HttpResponseRedirect:
        """Says what was done, and keeps that it was."""
        report = result.report
        done = _("Imported %(rows)d rows: %(created)d customers created, %(linked)d changed, %(unchanged)d left, %(refused)d refused.") % {
            "rows": report.rows,
            "created": report.created,
            "linked": report.linked,
            "unchanged": report.unchanged,
            "refused": report.refused,
        }
        manager_log.note(request.user, Customer, done)
        messages.success(request, done)
        if report.conflicts:
            open_ones = format_html(
                '<a href="{}?state__exact=open">{}</a>', reverse("admin:conversations_matchcandidate_changelist"), _("Look at the pairs")
            )
            told = ngettext(
                "%(number)d conflict: the record was kept as it is, and who may be one person is noted as a pair.",
                "%(number)d conflicts: the records were kept as they are, and who may be one person is noted as pairs.",
                report.conflicts,
            ) % {"number": report.conflicts}
            messages.warning(request, format_html("{} {}", told, open_ones))
        return redirect("admin:conversations_customer_changelist")
