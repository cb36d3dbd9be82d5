"""The phones of the company's people as pages, one for each number or SIP address, as many open at once as one likes."""

import re
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET

from conversations.voice.simulator.ringing import ENDS
from routing.models import AgentProfile

ADDRESS: Final = re.compile(r"\+[1-9][0-9]{6,14}|sips?:[^\s<>\"]{1,200}")


@require_GET
def page(request: HttpRequest, address: str) -> HttpResponse:
    """The phone with this number (`+44…`) or SIP address."""
    if not ADDRESS.fullmatch(address):
        return HttpResponse(_("This is neither a number such as +441632960111 nor a SIP address."), status=404)
    return _phone(request, address)


@ensure_csrf_cookie
def _phone(request: HttpRequest, address: str) -> HttpResponse:
    context = {
        "address": address,
        "name": names().get(address, address),
        "keys": "123456789*0#",
        "ends": [(f"{status} {detail}".strip(), _end(status, detail)) for status, details in ENDS.items() for detail in details],
        "texts": texts(),
    }
    return render(request, "simulator/desk.html", context)


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """All phones of the company's people."""
    return render(request, "simulator/desks.html", {"desks": [(name, address) for address, name in names().items()]})


def names() -> dict[str, str]:
    """The names of the company's people by the number or SIP address of their phone."""
    people = AgentProfile.objects.order_by("display_name").values_list("phone_number", "sip_address", "display_name")
    return {address: name for *addresses, name in people for address in addresses if address}


def texts() -> dict[str, Any]:
    """The words that the scripts of the phones' pages show."""
    return {
        "incoming": _("{number} is calling you"),
        "textFrom": _("From {number}"),
        "textTo": _("You to {number}"),
        "failed": _("That did not work. Check your connection and try again."),
        "names": names(),
        "who": {"company": _("The company’s voice"), "me": _("You"), "keys": _("You pressed"), "other": _("The other person")},
        "together": {
            "both": _("you hear each other"),
            "youHear": _("you hear them, they do not hear you"),
            "hearsYou": _("they hear you, you do not hear them"),
            "neither": _("you do not hear each other"),
            "music": _("Music plays"),
            "muted": _("You are muted"),
            "earmuffed": _("You hear nobody"),
            "recorded": _("Recorded"),
        },
        "doing": {
            "speaking": _("The voice is speaking"),
            "listening": _("Listening to you"),
            "thinking": _("Thinking"),
            "waiting": _("Waiting"),
            "recording": _("Recording you"),
            "connecting": _("Ringing a person"),
            "on_hold": _("On hold"),
            "connected": _("Connected to a person"),
        },
        "status": {
            "started": _("Dialling"),
            "ringing": _("Ringing"),
            "answered": _("In a call"),
            "completed": _("Call ended"),
            "cancelled": _("Call cancelled"),
            "rejected": _("Declined"),
            "busy": _("Busy"),
            "human": _("In a call"),
            "machine": _("A machine answered"),
            "timeout": _("Not answered"),
            "unanswered": _("Not reached"),
            "failed": _("Call failed"),
        },
    }


def _end(status: str, detail: str) -> str:
    return f"{status}: {detail.replace('_', ' ')}" if detail else status
