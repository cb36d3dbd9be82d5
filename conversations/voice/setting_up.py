"""The phone platform's side of a company: the application with our webhooks, and the numbers that are linked to it.

What would change is a plan, which changes nothing; carrying it out twice changes nothing the second time.
Source: Vonage, "Application API v2 reference" and "Numbers API reference".
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

from conversations.models import EntryPoint
from conversations.voice import gateway, ncco
from conversations.voice.gateway import CallGone, GatewayError

CONNECT_MILLISECONDS: Final = 1_000
ANSWER_MILLISECONDS: Final = 5_000
EVENT_MILLISECONDS: Final = 10_000
"""The longest that the platform allows, so that a database that is busy for a moment loses nothing."""
KEY_FILE: Final = "vonage_application.pem"


@dataclass(frozen=True, slots=True)
class NumberPlan:
    """What becomes of one of our numbers: `country` is set when it is to be linked, `sentence` says what is so or will be."""

    number: str
    sentence: str
    country: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done: the application as it is to be (`wanted`), what of it changes, in words, and the numbers.

    `application_id` is empty when it is to be created. `problems` are what nobody but a person can do.
    """

    application_id: str
    name: str
    wanted: dict[str, Any]
    changes: list[str]
    numbers: list[NumberPlan]
    problems: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether all is as it should be."""
        return bool(self.application_id) and not self.changes and not any(each.country for each in self.numbers)


def plan() -> Plan:
    """What would have to be done, by what the platform says now. Changes nothing. Raises GatewayError."""
    name = f"CX Hub {urlsplit(settings.PUBLIC_URL).hostname}"
    found = _application(name)
    wanted = _wanted(found, name)
    application_id = str(found.get("id", ""))
    problems = []
    if not settings.PUBLIC_URL.startswith("https://"):
        problems.append(f"PUBLIC_URL is {settings.PUBLIC_URL}: the platform posts to https:// addresses that it can reach.")
    numbers, missing = _numbers(application_id)
    return Plan(application_id, str(wanted["name"]), wanted, _changes(found, wanted), numbers, [*problems, *missing])


def carry_out(planned: Plan, tell: Callable[[str], object]) -> str:
    """Does what was planned and tells of each step; returns the application's id. Raises GatewayError; what was done until then stays.

    The private key of an application that is created is made here, written to a file that only its owner reads, and never leaves it.
    """
    application_id = planned.application_id
    if not application_id:
        path, public_key = _make_key()
        body = planned.wanted | {"keys": {"public_key": public_key}}
        created = gateway.create_application(body)
        application_id = str(created.get("id", ""))
        if not application_id:
            raise GatewayError("the platform did not name the application that it created")
        tell(f"Created the application {application_id}. Its private key is in {path}.")
    elif planned.changes:
        gateway.update_application(application_id, planned.wanted)
        tell(f"Changed the application {application_id}.")
    for each in planned.numbers:
        if each.country:
            _link(each, application_id)
            tell(f"Linked {each.number}.")
    return application_id


def _application(name: str) -> dict[str, Any]:
    """The application that is set, else the one of our name; empty when there is none yet."""
    if settings.VONAGE_APPLICATION_ID and settings.VONAGE_GATEWAY != "simulator":
        try:
            return gateway.application(settings.VONAGE_APPLICATION_ID)
        except CallGone as error:
            raise GatewayError("the account has no application with the id in VONAGE_APPLICATION_ID") from error
    return next((each for each in gateway.applications() if each.get("name") == name), {})


def _wanted(found: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The application with our webhooks; what else it has, such as other capabilities, stays as it is."""
    capabilities = deepcopy(dict(found.get("capabilities") or {}))
    voice, messages = dict(capabilities.get("voice") or {}), dict(capabilities.get("messages") or {})
    voice["webhooks"] = {
        "answer_url": _webhook("voice:answer", ANSWER_MILLISECONDS),
        "fallback_answer_url": _webhook("voice:fallback", ANSWER_MILLISECONDS),
        "event_url": _webhook("voice:event", EVENT_MILLISECONDS),
    }
    voice["signed_callbacks"] = True
    if settings.VONAGE_REGION:
        voice["region"] = settings.VONAGE_REGION
    messages["webhooks"] = {
        "inbound_url": {"address": ncco.webhook_url("voice:text"), "http_method": "POST"},
        "status_url": {"address": ncco.webhook_url("voice:text-status"), "http_method": "POST"},
    }
    kept = {key: deepcopy(found[key]) for key in ("privacy",) if key in found}
    public_key = (found.get("keys") or {}).get("public_key")
    keys = {"keys": {"public_key": public_key}} if public_key else {}
    return {"name": found.get("name") or name, **kept, **keys, "capabilities": capabilities | {"voice": voice, "messages": messages}}


def _webhook(name: str, milliseconds: int) -> dict[str, Any]:
    return {
        "address": ncco.webhook_url(name),
        "http_method": "POST",
        "connection_timeout": CONNECT_MILLISECONDS,
        "socket_timeout": milliseconds,
    }


def _changes(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """What of the application changes, a line each; keys are not told."""
    before, after = _flat(found.get("capabilities") or {}), _flat(wanted["capabilities"])
    return [
        f"{name}: {before.get(name, 'nothing')} → {after.get(name, 'nothing')}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    if isinstance(value, Mapping) and value:
        return {key: each for name, inner in value.items() for key, each in _flat(inner, f"{path}.{name}".lstrip(".")).items()}
    return {path: value} if path else {}


def _numbers(application_id: str) -> tuple[list[NumberPlan], list[str]]:
    """What becomes of each number that is an entry point, and what a person has to do about some."""
    owned = {f"+{each.get('msisdn', '')}": each for each in gateway.owned_numbers()}
    planned, problems = [], []
    for door in EntryPoint.objects.filter(channel="voice").order_by("address"):
        row = owned.get(door.address)
        if row is None:
            problems.append(f"{door.address} ({door.name}) is not a number of this account.")
            continue
        features = {str(each).upper() for each in row.get("features") or []}
        if "VOICE" not in features:
            problems.append(f"{door.address} takes no calls: it has {', '.join(sorted(features)) or 'nothing'}.")
        if door.takes_texts and "SMS" not in features:
            problems.append(f"{door.address} takes no text messages, but its entry point says that it does.")
        if row.get("voiceCallbackType") in ("sip", "tel"):
            problems.append(f"Calls to {door.address} are forwarded by the platform, which goes before the application. End that there.")
        linked = str(row.get("app_id") or "")
        if linked and linked == application_id:
            planned.append(NumberPlan(door.address, "is linked already"))
        else:
            sentence = f"is linked, instead of to {linked}" if linked else "is linked"
            planned.append(NumberPlan(door.address, sentence, str(row.get("country", ""))))
    return planned, problems


def _link(planned: NumberPlan, application_id: str) -> None:
    gateway.link_number(country=planned.country, number=planned.number, application_id=application_id)


def _make_key() -> tuple[Path, str]:
    """A key pair for a new application: the private one in a file of mode 600, the public one as text. One that is there is used again."""
    path = Path(settings.DATA_DIR) / KEY_FILE
    if path.exists():
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    else:
        key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        text = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.touch(mode=0o600)
        path.write_bytes(text)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return path, public.decode()
