"""The phone platform's REST calls: the only module that imports `vonage`.

Every call gets a client of its own: the SDK's client shares one dict of headers between its callers, has no time-out
of its own, and sends a request again up to `pool_maxsize` times when the connection drops, which could dial twice.
The functions block: call them from a thread, never on the event loop. What the platform refused because it was asked too often
it did not do, so it is asked again after a moment, whatever it was.
"""

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal
from urllib.parse import urlsplit
from uuid import uuid4

import jwt
import requests
from django.conf import settings
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from vonage import Auth, HttpClientOptions, Vonage
from vonage_http_client.errors import HttpRequestError
from vonage_messages import Sms
from vonage_utils.errors import VonageError

from conversations.selectors.call_reports import TERMINAL_STATUSES
from conversations.voice import application_key, hosts
from conversations.voice.ncco import Ncco
from conversations.voice.simulator import server
from conversations.voice.stand_in import StandInAdapter

TOKEN_SECONDS: Final = 900
TIMEOUT_SECONDS: Final = 5
CALL_ID: Final = re.compile(r"[0-9a-fA-F]{8}(-?)(?:[0-9a-fA-F]{4}\1){3}[0-9a-fA-F]{12}")
"""A UUID, with or without its dashes."""
PAUSES_SECONDS: Final = (0.4, 0.8)
"""After which it is asked again: it takes three calls a second and fifteen other requests."""
ACCOUNT_PAUSES_SECONDS: Final = (0.5, 1.0, 2.0)
"""The same for what belongs to the account, where nobody is on a line meanwhile."""
SIP: Final = ("sip:", "sips:")
APPLICATIONS: Final = "/v2/applications"
NUMBERS: Final = "/account/numbers"
DOWNLOAD_SECONDS: Final = (5, 30)
"""How long a connection, and the next piece of a file, is waited for."""
DOWNLOAD_PIECE: Final = 65_536
PAGE_SIZE: Final = 100
"""The platform's limit."""
MOST_RECORDS: Final = 100_000
"""How many calls are looked at in one go; a list that does not end is no list."""
OnMachine = Literal["hangup", "continue"]
"""What happens to a call that an answering machine has picked up."""

# Below this level the SDK writes its headers, with the token that controls calls, into the log.
logging.getLogger("vonage").setLevel(logging.ERROR)


class GatewayError(Exception):
    """The platform did not do what was asked."""


class NotOurs(GatewayError):
    """The address is none of the platform's, so nothing was asked."""


class CallGone(GatewayError):
    """The leg has ended, or lives in another region."""


class TooManyRequests(GatewayError):
    """The platform did nothing, however patiently, because it was asked too often."""


class Unclear(GatewayError):
    """Nobody knows whether the platform did what was asked: the connection broke after the request was sent, or it failed at it.

    `is_over` says that the platform has answered, so that nothing of the request can still be under way.
    """

    def __init__(self, message: str, *, is_over: bool) -> None:
        super().__init__(message)
        self.is_over = is_over


@dataclass(frozen=True, slots=True)
class PlacedCall:
    """An outbound leg that the platform has started."""

    call_id: str
    room_id: str


class _AuthWithKeptKey(Auth):  # type: ignore[misc]  # the SDK has no types
    """The SDK's, but for the key, which that would read anew for each request."""

    def generate_application_jwt(self, claims: dict[str, Any] | None = None) -> bytes:
        """A token for one request, as the SDK makes it. Source: Vonage, "Authentication", JSON web tokens."""
        now = int(time.time())
        usual = {"application_id": self.application_id, "iat": now, "jti": str(uuid4()), "exp": now + TOKEN_SECONDS}
        return jwt.encode({**usual, **(claims or {})}, application_key.current(), algorithm="RS256").encode()


def create_call(
    *, to: str, caller: str, ncco: Ncco, event_url: str, ring_seconds: int, region_url: str = "", finds_machines: bool = False
) -> PlacedCall:
    """Ring `to` (E.164, or a SIP address) from our number `caller` and run `ncco` when it answers.

    `region_url` is that of the call it is for: rooms of one name are different rooms in different regions. With `finds_machines`,
    `event_url` is told while the call goes on when a machine has picked up, and again when it has beeped.
    Raises GatewayError, Unclear when the phone may ring all the same: then go by way of `placing`.
    Source: Vonage, "Advanced machine detection".
    """
    detection = {"advanced_machine_detection": {"behavior": "continue", "mode": "default"}} if finds_machines else {}
    return _dial(to=to, caller=caller, event_url=event_url, ring_seconds=ring_seconds, region_url=region_url, ncco=ncco, **detection)


def call_person(
    *, to: str, caller: str, answer_url: str, event_url: str, ring_seconds: int, on_machine: OnMachine = "hangup"
) -> PlacedCall:
    """Ring `to` from our number `caller` (both E.164) and ask `answer_url` what to do when it answers.

    Whether a machine answered is found out while the call goes on, so that nobody waits in silence for it; then it is hung up on,
    or goes on and `event_url` is told, a second time when the machine has beeped. Only `voice.dialing` may call this: customers
    are rung with a permission. Raises GatewayError, Unclear when the phone may ring all the same: then go by way of `placing`.
    Source: Vonage, "Advanced machine detection".
    """
    return _dial(
        to=to,
        caller=caller,
        event_url=event_url,
        ring_seconds=ring_seconds,
        answer_url=[answer_url],
        answer_method="POST",
        advanced_machine_detection={"behavior": on_machine, "mode": "default"},
    )


def _dial(*, to: str, caller: str, event_url: str, ring_seconds: int, region_url: str = "", **what_then: Any) -> PlacedCall:
    body = {
        "to": [{"type": "sip", "uri": to} if to.startswith(SIP) else {"type": "phone", "number": to.removeprefix("+")}],
        "from": {"type": "phone", "number": caller.removeprefix("+")},
        "event_url": [event_url],
        "event_method": "POST",
        "ringing_timer": ring_seconds,
        **what_then,
    }
    answer = _run(region_url, lambda client: client.http_client.post(client.http_client.api_host, "/v1/calls", body))
    if not isinstance(answer, dict) or not isinstance(answer.get("uuid"), str):
        raise Unclear("the platform did not name the call it started", is_over=True)
    return PlacedCall(answer["uuid"], str(answer.get("conversation_uuid", "")))


def records(*, since: datetime) -> Iterator[dict[str, Any]]:
    """The platform's own list of the account's calls that began after `since`, oldest first, page by page.

    Raises GatewayError, also between two pages. Source: Vonage, "Voice API reference", `GET /v1/calls`.
    """
    yield from _listed("", {"date_start": _moment(since), "order": "asc"})


def legs_up(*, since: datetime, region_url: str = "") -> set[str]:
    """The ids of the legs that began after `since` and are up, as the host of a region lists them, a hundred at a request.

    One that is not among them may be up all the same; see `is_live`. Raises GatewayError.
    """
    found = _listed(region_url, {"date_start": _moment(since), "status": "answered"})
    return {each["uuid"] for each in found if isinstance(each.get("uuid"), str)}


def _listed(region_url: str, asked: dict[str, str]) -> Iterator[dict[str, Any]]:
    index: int | None = 0
    while index is not None:
        page = _get(region_url, "/v1/calls", {**asked, "page_size": PAGE_SIZE, "record_index": index})
        found = (page.get("_embedded") or {}).get("calls") if isinstance(page.get("_embedded"), dict) else None
        if not isinstance(found, list):
            raise GatewayError("the platform did not list its calls")
        yield from (each for each in found if isinstance(each, dict))
        index = index + PAGE_SIZE if len(found) == PAGE_SIZE and index < MOST_RECORDS else None


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def record(call_id: str, *, region_url: str = "") -> dict[str, Any]:
    """What the platform's list says of one leg, live or over. Raises CallGone when it does not know it, GatewayError otherwise."""
    return _get(region_url, f"/v1/calls/{_checked(call_id)}")


def transfer(call_id: str, ncco: Ncco, *, region_url: str = "") -> None:
    """Replace what a live leg is doing. Raises CallGone when it is over, GatewayError otherwise."""
    # Not the SDK's transfer_call_ncco: it turns dicts into empty actions without a word.
    _modify(call_id, {"action": "transfer", "destination": {"type": "ncco", "ncco": ncco}}, region_url)


def hang_up(call_id: str, *, region_url: str = "") -> None:
    """End a leg. Raises CallGone when it is over already, GatewayError otherwise."""
    _modify(call_id, {"action": "hangup"}, region_url)


def mute(call_id: str, *, on: bool, region_url: str = "") -> None:
    """Have nobody hear a live leg, or everybody again. Raises CallGone or GatewayError."""
    _modify(call_id, {"action": "mute" if on else "unmute"}, region_url)


def is_live(call_id: str, *, region_url: str = "") -> bool:
    """Whether a leg is still up. Raises GatewayError when the platform does not say."""
    try:
        return record(call_id, region_url=region_url).get("status") not in TERMINAL_STATUSES
    except CallGone:
        return False


def say(call_id: str, text: str, *, language: str, region_url: str = "") -> None:
    """Say `text` into a live leg without changing what it is doing. Raises CallGone or GatewayError."""
    path = f"/v1/calls/{_checked(call_id)}/talk"
    body = {"text": text, "language": language}
    _run(region_url, lambda client: client.http_client.put(client.http_client.api_host, path, body))


def download(url: str) -> Iterator[bytes]:
    """A file that the platform made of a call (a recording, or the text of one), in pieces, asked for with our token.

    The address came in a webhook: the token is sent to no host but the listed ones, over https and its usual port, and no answer is
    followed elsewhere. Not the SDK's `download_recording`, which takes any host that has the platform's name in it.
    Raises NotOurs, CallGone when there is no such file, GatewayError; also between two pieces.
    """
    host = _host_of_file(url)
    client = _client(f"https://{host}")
    http = client.http_client
    headers = {"Authorization": http.auth.create_jwt_auth_string().decode(), "Accept": "*/*"}
    try:
        with http._session.get(url, headers=headers, stream=True, timeout=DOWNLOAD_SECONDS, allow_redirects=False) as response:
            if response.status_code == 404:
                raise CallGone("the platform has no such file")
            if response.status_code != 200:
                raise GatewayError(f"the platform answered {response.status_code}")
            yield from response.iter_content(DOWNLOAD_PIECE)
    except requests.RequestException as error:
        raise GatewayError(f"the file did not come ({type(error).__name__})") from error


def delete_file(url: str) -> None:
    """Delete a file that the platform made of a call, as `download` names it. Raises NotOurs, CallGone when it is not there, GatewayError.

    Source: Vonage, "Redact API" (recordings are items of the Media API) and "Media API reference".
    """
    name = urlsplit(url).path.rsplit("/", 1)[-1] if _host_of_file(url) else ""
    if not re.fullmatch(r"[0-9A-Za-z-]{1,100}", name):
        raise NotOurs("the address names no file")
    _run(f"https://{_host_of_file(url)}", lambda client: client.http_client.delete(client.http_client.api_host, f"/v3/media/{name}"))


def _host_of_file(url: str) -> str:
    host = hosts.of_file(url)
    if not host:
        raise NotOurs("the file is not on one of the platform's hosts")
    return host


def send_text(*, to: str, sender: str, text: str, reference: str = "") -> str:
    """Send a text message to `to` from our number `sender` (both E.164); returns the platform's id of it.

    `reference` comes back with what becomes of it. That the platform took it says nothing of whether it arrived. Raises GatewayError.
    Source: Vonage, "Messages API reference".
    """
    try:
        message = Sms(to=to.removeprefix("+"), from_=sender.removeprefix("+"), text=text, client_ref=reference or None)
    except ValueError as error:
        # Without the SDK's own words: they quote the text.
        raise GatewayError("the SDK refused the text message") from error
    return str(_run("", lambda client: client.messages.send(message).message_uuid))


def applications() -> list[dict[str, Any]]:
    """The account's applications. Raises GatewayError. Source: Vonage, "Application API v2 reference"."""
    found: list[dict[str, Any]] = []
    page = pages = 1
    while page <= pages:
        answer = _page_of_account(APPLICATIONS, {"page_size": PAGE_SIZE, "page": page}, at_rest_host=False)
        listed = (answer.get("_embedded") or {}).get("applications")
        found += [each for each in listed or [] if isinstance(each, dict)]
        pages = int(answer.get("total_pages") or 1)
        page += 1
    return found


def application(application_id: str) -> dict[str, Any]:
    """One application of the account. Raises CallGone when it has none with this id, GatewayError otherwise."""
    path = f"{APPLICATIONS}/{_checked(application_id)}"
    return _of_account(lambda client: client.http_client.get(client.http_client.api_host, path, None, "basic"))


def create_application(body: dict[str, Any]) -> dict[str, Any]:
    """Create an application; the answer names its id. Raises GatewayError, Unclear when it may be there all the same."""
    return _of_account(lambda client: client.http_client.post(client.http_client.api_host, APPLICATIONS, body, "basic"))


def update_application(application_id: str, body: dict[str, Any]) -> None:
    """Replace an application by `body`, which has to be whole: the platform drops what it does not name. Raises GatewayError."""
    # Not the SDK's models: they drop what they do not know, and spell the time to connect otherwise than the API.
    path = f"{APPLICATIONS}/{_checked(application_id)}"
    _of_account(lambda client: client.http_client.put(client.http_client.api_host, path, body, "basic"))


def owned_numbers() -> list[dict[str, Any]]:
    """The account's numbers, with the application that each is linked to. Raises GatewayError. Source: Vonage, "Numbers API reference"."""
    found: list[dict[str, Any]] = []
    while True:
        answer = _page_of_account(NUMBERS, {"size": PAGE_SIZE, "index": len(found) // PAGE_SIZE + 1}, at_rest_host=True)
        listed = [each for each in answer.get("numbers") or [] if isinstance(each, dict)]
        found += listed
        if len(listed) < PAGE_SIZE:
            return found


def link_number(*, country: str, number: str, application_id: str) -> None:
    """Have calls and texts to a number (E.164) of the account go to an application. Raises GatewayError."""
    body = {"country": country, "msisdn": number.removeprefix("+"), "app_id": application_id}
    answer = _of_account(lambda client: client.http_client.post(client.http_client.rest_host, "/number/update", body, "basic", "form"))
    if str(answer.get("error-code")) != "200":
        raise GatewayError(f"the platform answered {answer.get('error-code')}")


def _page_of_account(path: str, asked: dict[str, Any], *, at_rest_host: bool) -> dict[str, Any]:
    host = "rest_host" if at_rest_host else "api_host"
    return _of_account(lambda client: client.http_client.get(getattr(client.http_client, host), path, asked, "basic"))


def _of_account(request: Callable[[Vonage], Any]) -> dict[str, Any]:
    """Asks as the account, and not as the application: with the API key and its secret. An empty answer is an empty object."""
    answer = _run(_client_of_account, request, ACCOUNT_PAUSES_SECONDS)
    if answer is not None and not isinstance(answer, dict):
        raise GatewayError("the platform did not answer with an object")
    return answer or {}


def _modify(call_id: str, body: dict[str, Any], region_url: str) -> None:
    _run(region_url, lambda client: client.http_client.put(client.http_client.api_host, f"/v1/calls/{_checked(call_id)}", body))


def _checked(call_id: str) -> str:
    """A call id is put into a path, so it must be one; as the platform has spelled it."""
    if not CALL_ID.fullmatch(call_id):
        raise CallGone("no such call")
    return call_id


def _run(where: str | Callable[[], Vonage], request: Callable[[Vonage], Any], pauses: tuple[float, ...] = PAUSES_SECONDS) -> Any:
    """Asks at the host of a region's address, or by a client that `where` makes; again when that was too often."""
    for pause in pauses:
        with suppress(TooManyRequests):
            return _asked(where, request)
        time.sleep(pause)
    return _asked(where, request)


def _asked(where: str | Callable[[], Vonage], request: Callable[[Vonage], Any]) -> Any:
    try:
        return request(_client(where) if isinstance(where, str) else where())
    except HttpRequestError as error:
        status = error.response.status_code
        if status == 404:
            raise CallGone("the call is over") from error
        if status == 429:
            raise TooManyRequests("the platform was asked too often") from error
        if status >= 500:
            raise Unclear(f"the platform answered {status}", is_over=True) from error
        raise GatewayError(f"the platform answered {status}") from error
    except requests.RequestException as error:
        name = type(error).__name__
        if _was_never_sent(error):
            raise GatewayError(f"the platform could not be reached ({name})") from error
        raise Unclear(f"the platform did not answer ({name})", is_over=False) from error
    except VonageError as error:
        raise GatewayError(f"the SDK refused ({type(error).__name__})") from error


def _was_never_sent(error: requests.RequestException) -> bool:
    """Whether no connection came about, so that the platform knows nothing of the request."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(error, requests.ConnectTimeout) or isinstance(reason, NewConnectionError | ConnectTimeoutError)


def _get(region_url: str, path: str, asked: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = _run(region_url, lambda client: client.http_client.get(client.http_client.api_host, path, asked))
    if not isinstance(answer, dict):
        raise GatewayError("the platform did not answer with an object")
    return answer


def _client(region_url: str) -> Vonage:
    """A client for the host that controls the call, with the simulator behind the same SDK code."""
    if settings.VONAGE_GATEWAY == "off":
        raise GatewayError("no phone platform is configured")
    auth = _AuthWithKeptKey(application_id=settings.VONAGE_APPLICATION_ID, private_key=settings.VONAGE_PRIVATE_KEY)
    return _made(auth, hosts.of_region(region_url))


def _client_of_account() -> Vonage:
    """A client for what belongs to the account. It works before there is an application, so also while the phone is off."""
    if not settings.VONAGE_API_KEY or not settings.VONAGE_API_SECRET:
        raise GatewayError("VONAGE_API_KEY or VONAGE_API_SECRET is not set")
    return _made(Auth(api_key=settings.VONAGE_API_KEY, api_secret=settings.VONAGE_API_SECRET), hosts.DEFAULT)


def _made(auth: Auth, host: str) -> Vonage:
    client = Vonage(auth, HttpClientOptions(api_host=host, timeout=TIMEOUT_SECONDS, max_retries=0, pool_connections=1, pool_maxsize=1))
    base = settings.VONAGE_API_URL or (f"{server.local_address()}/simulator" if settings.VONAGE_GATEWAY == "simulator" else "")
    if base:
        client.http_client._session.trust_env = False
        client.http_client._session.mount("https://", StandInAdapter(base))
    return client
