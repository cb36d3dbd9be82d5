"""Keys of host sites: made, changed for new ones, taken back; and what the site has to put into its own server."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import RegexValidator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from conversations.models import HostSiteKey
from conversations.models.host_site import SYSTEM
from conversations.services import host_sites
from conversations.services.sealing import CannotBeOpened
from routing.admin.read_only import ReadOnlyAdmin

OVERLAPS = ((0, _("not at all")), (1, _("for an hour")), (24, _("for a day")), (168, _("for a week")))


class HostSiteKeyForm(forms.ModelForm):
    """A new key."""

    class Meta:
        model = HostSiteKey
        fields = ("entry_point", "system", "algorithm", "public_key")
        help_texts = {
            "entry_point": _("The web chat in which the site's customers are to be known."),
            "algorithm": _(
                "With a public key the secret half stays with the site. A shared secret is drawn here and shown once; choose it when"
                " the site's server cannot sign with a key pair."
            ),
            "public_key": _("From BEGIN PUBLIC KEY to END PUBLIC KEY. Empty for a shared secret."),
        }

    def clean_system(self) -> str:
        system = str(self.cleaned_data["system"]).strip().lower()
        RegexValidator(SYSTEM, _("Small letters, digits, dots and hyphens, such as shop."))(system)
        return system

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors:
            try:
                host_sites.check(data["entry_point"], data["algorithm"], data["public_key"])
            except host_sites.UnusableKey as problem:
                raise ValidationError({"public_key": str(problem)}) from problem
        return data


class RotationForm(forms.Form):
    """For how long the old key is accepted beside the new one, and the new public key where there is one."""

    hours = forms.TypedChoiceField(label=_("The old key is still accepted"), choices=OVERLAPS, coerce=int, initial=24)
    public_key = forms.CharField(label=_("The new public key"), required=False, widget=forms.Textarea(attrs={"rows": 6}))


@admin.register(HostSiteKey)
class HostSiteKeyAdmin(ReadOnlyAdmin):
    """Keys are read, never edited: a key that changes would change what its tokens say."""

    form = HostSiteKeyForm
    change_form_template = "admin/conversations/host_site_key_page.html"
    list_display = ("__str__", "entry_point", "algorithm", "state", "accepted_until", "made_by", "made_at")
    list_filter = ("state", "entry_point")
    search_fields = ("system", "kid", "entry_point__name")
    fields = ("entry_point", "system", "kid", "algorithm", "public_key", "state", "accepted_until", "made_by", "made_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("conversations.add_hostsitekey"))

    def get_fields(self, request: HttpRequest, obj: HostSiteKey | None = None) -> Any:
        if obj is None:
            return self.form.Meta.fields
        return (*self.fields, *(("revoked_by", "revoked_at") if obj.revoked_at else ()))

    def get_urls(self) -> list[URLPattern]:
        def door(name: str, view: Any) -> URLPattern:
            guarded: Any = self.admin_site.admin_view(view)
            found: URLPattern = path(f"<int:number>/{name}/", guarded, name=f"conversations_hostsitekey_{name}")
            return found

        return [door("rotate", self.rotate), door("revoke", self.revoke), door("secret", self.secret), *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: HostSiteKey, form: Any, change: bool) -> None:
        made = host_sites.make_key(
            obj.entry_point, system=obj.system, algorithm=obj.algorithm, public_key=obj.public_key, made_by=str(request.user)
        )
        obj.pk = made.pk
        obj.refresh_from_db()

    def response_add(self, request: HttpRequest, obj: HostSiteKey, post_url_continue: str | None = None) -> HttpResponse:
        messages.success(request, _("The key is accepted from now on. Below is what the site's server has to do."))
        return redirect("admin:conversations_hostsitekey_change", obj.pk)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        key = self.get_object(request, object_id)
        extra = self._page_of(request, key) if key else {}
        return super().change_view(request, object_id, form_url, {**extra, **(extra_context or {})})

    @method_decorator(require_POST)
    def rotate(self, request: HttpRequest, number: int) -> HttpResponseRedirect:
        """Makes a new key in the place of this one."""
        key, form = self._key(request, number), RotationForm(request.POST)
        if not form.is_valid():
            messages.error(request, _("Choose for how long the old key is accepted."))
            return redirect("admin:conversations_hostsitekey_change", number)
        overlap = timedelta(hours=form.cleaned_data["hours"])
        try:
            new = host_sites.rotate(key, overlap=overlap, made_by=str(request.user), public_key=form.cleaned_data["public_key"])
        except (host_sites.UnusableKey, host_sites.NotAccepted) as problem:
            messages.error(request, str(problem))
            return redirect("admin:conversations_hostsitekey_change", number)
        self.log_change(request, key, str(_("A new key %(kid)s in its place.") % {"kid": new.kid}))
        messages.success(request, _("This is the new key. The old one is accepted until the date on its page."))
        return redirect("admin:conversations_hostsitekey_change", new.pk)

    @method_decorator(require_POST)
    def revoke(self, request: HttpRequest, number: int) -> HttpResponseRedirect:
        """Has the key accepted no more."""
        key = self._key(request, number)
        try:
            host_sites.revoke(key, revoked_by=str(request.user))
        except host_sites.NotAccepted as problem:
            messages.warning(request, str(problem))
        else:
            self.log_change(request, key, str(_("Not accepted any more.")))
            messages.success(request, _("The key is not accepted any more. Who signed in with it stays so for an hour at most."))
        return redirect("admin:conversations_hostsitekey_change", number)

    @method_decorator([require_POST, never_cache])
    def secret(self, request: HttpRequest, number: int) -> HttpResponse:
        """Shows the shared secret, this once."""
        key = self._key(request, number)
        try:
            secret = host_sites.take_secret(key)
        except CannotBeOpened:
            messages.error(request, _("The secret was kept under another SECRET_KEY and cannot be read any more. Make a new key."))
            return redirect("admin:conversations_hostsitekey_change", number)
        if secret is None:
            messages.warning(request, _("The secret was shown before. If nobody has it, make a new key."))
            return redirect("admin:conversations_hostsitekey_change", number)
        self.log_change(request, key, str(_("The secret was shown.")))
        request.method = "GET"  # the page below is read, not saved
        return self.change_view(request, str(number), extra_context={"secret": secret})

    def _key(self, request: HttpRequest, number: int) -> HostSiteKey:
        if not request.user.has_perm("conversations.change_hostsitekey"):
            raise PermissionDenied
        return get_object_or_404(HostSiteKey, pk=number)

    def _page_of(self, request: HttpRequest, key: HostSiteKey) -> dict[str, Any]:
        may_change = request.user.has_perm("conversations.change_hostsitekey")
        return {
            "may_change": may_change and key.state != HostSiteKey.State.REVOKED,
            "secret_waits": may_change and bool(key.sealed_secret) and key.secret_shown_at is None,
            "rotation": RotationForm(auto_id="rotation_%s"),
            "server": request.build_absolute_uri("/").rstrip("/"),
        }
