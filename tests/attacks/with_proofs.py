"""Attacks on proofs: one-time codes, host sites' tokens, stolen and planted visitor tokens, links, calls that we make."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt
from django.core import mail
from django.db.models import F
from django.test import AsyncClient
from django.utils import timezone

from conversations.models import Booking, ChatLink, HostSiteKey, OneTimeCode
from conversations.services import suppression
from tests.attacks import victim
from tests.attacks.attack import CLOSED, CONTACT, FILED_ELSEWHERE, OPEN, Attack
from tests.attacks.on_chat import ACCOUNT
from tests.attacks.on_phone import FILED, GOES_ON, OWN
from tests.attacks.scene import Scene, in_thread, wrong
from tests.support.host_site import by_hand, claims_of, token_of
from tests.support.sockets import Widget, open_widget
from tests.support.turns import nothing_owed

EVE, SILENT, NO_MAIL = "eve.adder@example.org", "+447700900777", "no.mail@example.org"
SIGNED_IN = CONTACT | {"Proof"}
"""What the victim adds to their own record by signing in while the attack goes on."""
JOINED = {"Customer", "CustomerLink", "ConversationLink"}
BOOKED = frozenset({"Proof", "Booking", "OneTimeCode", "TurnTrace", *JOINED})
"""What the victim adds by proving who they are in a chat and booking a visit there."""


async def guesses_in_parallel(scene: Scene) -> str:
    """Five wrong tries, then six tabs of one browser at once with the right code. Which tab sees what first is chance."""
    async with scene.chat() as chat:
        await chat.says(ACCOUNT)
        await chat.says(victim.EMAIL)
        code = scene.mailed_code(victim.EMAIL)
        for by in range(1, 6):
            await chat.says(wrong(code, by))
        token, session = chat.widget.welcome["token"], chat.widget.welcome["session"]

        async def tries(guess: str) -> str:
            async with scene.chat(token=token, session=session) as tab:
                return await tab.says(guess)

        await asyncio.gather(*(tries(code) for _ in range(6)))
        return "locked" if not await in_thread(_is_any_code_used)() else "let in"


async def replays_a_used_code(scene: Scene) -> str:
    """The victim's code, read over their shoulder after they have used it."""
    async with scene.chat() as mine:
        await mine.says(ACCOUNT)
        await mine.says(EVE)
        code = scene.mailed_code(EVE)
        await mine.says(code)
    async with scene.chat() as chat:
        await chat.says(ACCOUNT)
        await chat.says(victim.EMAIL)
        said = await chat.says(code)
        return "wrong code" if "not the code" in said else said


async def tries_a_code_that_is_too_old(scene: Scene) -> str:
    async with scene.chat() as chat:
        await chat.says(ACCOUNT)
        await chat.says(victim.EMAIL)
        code = scene.mailed_code(victim.EMAIL)
        await in_thread(_time_passes)(timedelta(minutes=11))
        said = await chat.says(code)
        return "too old" if "cannot be used any more" in said else said


async def has_codes_sent_without_end(scene: Scene) -> str:
    async with scene.chat() as chat:
        await chat.says(ACCOUNT)
        await chat.says(victim.EMAIL)
        said = [await chat.says("new code") for _ in range(4)]
        return "capped" if any("cannot send a code" in each for each in said) else said[-1]


async def has_a_code_sent_to_who_wants_none(scene: Scene) -> str:
    """A number on the do-not-contact list: no text, and not a word that it is listed."""
    await in_thread(suppression.suppress)("phone", SILENT, reason="Asked for it.", added_by="tests")
    async with scene.chat() as chat:
        await chat.says(ACCOUNT)
        said = await chat.says("07700 900777")
        return "not sent" if not scene.texted(SILENT) and "on its way" in said else said


async def has_a_link_sent_to_who_wants_none(scene: Scene) -> str:
    """The company's own link to an address and a number on the do-not-contact list: nothing is sent, and not a word of why."""
    for kind, value in (("email", NO_MAIL), ("phone", SILENT)):
        await in_thread(suppression.suppress)(kind, value, reason="Asked for it.", added_by="tests")
    said = []
    for to in (NO_MAIL, "07700 900777"):
        async with scene.chat() as chat:
            await chat.says("can you send me the payment link")
            said.append(await chat.says(to))
    reached = scene.texted(SILENT) or [each for each in mail.outbox if NO_MAIL in each.to]
    return "not sent" if not reached and all("I have sent you the link" in each for each in said) else " ".join(said)


async def forges_a_host_token(scene: Scene) -> str:
    """Unsigned, signed with another key, for another site, too old, and the public half used as a secret."""
    key = scene.key
    good = await in_thread(_claims)(key)
    forged = [
        by_hand({"alg": "none", "kid": key.kid}, good),
        jwt.encode(good, "k" * 43, algorithm="HS256", headers={"kid": key.kid}),
        await in_thread(token_of)(key, victim.SITE_ID, aud="/other"),
        await in_thread(token_of)(key, victim.SITE_ID, at=timezone.now() - timedelta(hours=2)),
    ]
    codes = []
    for each in forged:
        async with scene.chat(identity=each) as chat:
            codes.append(chat.widget.frames[0].get("code", "believed"))
            await chat.says(ACCOUNT)
    return ", ".join(dict.fromkeys(codes))


async def uses_a_token_after_log_out(scene: Scene) -> str:
    """The victim signs in, writes and signs out; the thief has a copy of all that the browser kept, and of the site's token."""
    site_token = await in_thread(token_of)(scene.key, victim.SITE_ID)
    copied = await _signs_in_writes_and_leaves(scene, site_token)
    async with scene.chat(**copied) as chat:
        await chat.says(ACCOUNT)
    async with scene.chat(**copied, identity=site_token) as chat:
        await chat.says(ACCOUNT)
        return chat.widget.frames[0].get("code", "believed")


async def plants_a_token(scene: Scene) -> str:
    """Session fixation: the victim's browser holds the attacker's token when they sign in and write."""
    async with scene.chat() as mine, open_widget() as theirs:
        await mine.says("Hello")
        site_token = await in_thread(token_of)(scene.key, victim.SITE_ID)
        await theirs.hello(token=mine.widget.welcome["token"], session=mine.widget.welcome["session"], identity=site_token)
        await theirs.say(f"{victim.CHAT_WORDS}, and {victim.ADDRESS}", client_id="victim")
        await mine.widget.wait_for(lambda frame: frame["type"] == "start_over")
        await mine.says(ACCOUNT)
        copied = {"token": mine.widget.welcome["token"], "session": mine.widget.welcome["session"]}
    async with scene.chat(**copied) as again:
        return "somebody new" if not again.widget.entries else "let in"


async def waits_at_a_shared_tablet(scene: Scene) -> str:
    """The attacker has chatted on a shop's tablet and kept its token; then the victim proves their address there, by a code."""
    async with scene.chat() as mine:
        await mine.says("Hello")
        copied = {"token": mine.widget.welcome["token"], "session": mine.widget.welcome["session"]}
    async with open_widget() as theirs:
        await theirs.hello(**copied)
        for words in (ACCOUNT, victim.EMAIL):
            await theirs.say(words, client_id=uuid4().hex)
            await nothing_owed()
        await theirs.say(scene.mailed_code(victim.EMAIL), client_id="code")
        await theirs.wait_for(lambda frame: frame["type"] == "welcome")
    async with scene.chat(**copied) as again:
        await again.says(ACCOUNT)
        return "somebody new" if not again.widget.welcome["session"].startswith(copied["session"].partition(".")[0]) else "let in"


async def proves_an_address_of_their_own(scene: Scene) -> str:
    """Somebody calls as the victim and proves an address of their own: they become its customer, and not the number's."""
    call = await scene.call(victim.PHONE)
    await call.says("what is on my account")
    await call.says("no")
    await call.says("eve dot adder at example dot org")
    await call.keys(scene.mailed_code(EVE))
    said = await call.says("what is on my account")
    return "nothing of the victim's" if "no visit coming up" in said and "You owe nothing" in said else said


async def says_other_facts_on_a_spoofed_call(scene: Scene) -> str:
    """The victim has proven who they are in a chat, and chooses a time; a call that shows their number says a name and a postcode."""
    async with open_widget() as theirs:
        await theirs.hello()
        await _writes(theirs, ACCOUNT)
        await _writes(theirs, victim.EMAIL)
        await _writes(theirs, scene.mailed_code(victim.EMAIL))
        await theirs.wait_for(lambda frame: frame["type"] == "welcome")
        await _writes(theirs, "I would like to book a boiler service at HB2 2AA")
        call = await scene.call(victim.PHONE)
        await call.says("I would like to book a boiler service my name is Mallory Black and my postcode is HB1 2AB")
        await _writes(theirs, "the first one")
        await _writes(theirs, victim.NAME)
        await _writes(theirs, "07700 900888")
        booked = await in_thread(Booking.objects.latest)("pk")
        said = f"{booked.name}, {booked.postcode}"
        return "booked as the victim said" if said == f"{victim.NAME}, HB2 2AA" else said


async def _writes(theirs: Widget, words: str) -> None:
    await theirs.say(words, client_id=uuid4().hex)
    await nothing_owed()


async def opens_a_link_twice(scene: Scene) -> str:
    """A link of the attacker's own call, opened once; then its address is read from the browser's history."""
    path = await _own_link(scene)
    first = await _presses(scene, path)
    second = await scene.page("GET", path)
    pressed = await scene.page("POST", path)
    return f"{first}, {second.status_code}, {pressed.status_code}"


async def opens_a_link_too_late_or_altered(scene: Scene) -> str:
    path = await _own_link(scene)
    altered = await scene.page("GET", f"{path[:-2]}xx")
    guessed = await scene.page("GET", "/c/AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAA")
    await in_thread(_links_grow_old)()
    return f"{altered.status_code}, {guessed.status_code}, {await _presses(scene, path)}"


async def presses_the_button_from_another_site(scene: Scene) -> str:
    path = await _own_link(scene)
    browser = AsyncClient(enforce_csrf_checks=True)
    return str((await scene.page("POST", path, browser=browser)).status_code)


async def has_the_victim_called(scene: Scene) -> str:
    """The phone of the victim rings; whoever picks up is told nothing of the chat, and the chat nothing of whose number it is."""
    async with scene.chat() as chat:
        await chat.says("My boiler is cold")
        frame = await chat.sends("calling", "refused", type="call_me", number=victim.PHONE)
        return str(frame["type"])


def _claims(key: HostSiteKey) -> dict[str, Any]:
    return claims_of(victim.SITE_ID, key.entry_point)


def _is_any_code_used() -> bool:
    return OneTimeCode.objects.filter(used_at__isnull=False).exists()


def _time_passes(by: timedelta) -> None:
    OneTimeCode.objects.update(sent_at=F("sent_at") - by, expires_at=F("expires_at") - by)


def _links_grow_old() -> None:
    by = timedelta(minutes=16)
    ChatLink.objects.update(sent_at=F("sent_at") - by, expires_at=F("expires_at") - by)


async def _signs_in_writes_and_leaves(scene: Scene, site_token: str) -> dict[str, str]:
    async with open_widget() as theirs:
        welcome = await theirs.hello(identity=site_token)
        await theirs.say(victim.CHAT_WORDS, client_id="victim")
        await theirs.send(type="sign_out")
        await theirs.wait_for(lambda frame: frame["type"] == "welcome")
    return {"token": welcome["token"], "session": welcome["session"]}


async def _own_link(scene: Scene) -> str:
    call = await scene.call(OWN)
    await call.says("can you text me a link")
    text = scene.texted(OWN)[-1]
    return text[text.index("/c/") :].split()[0]


async def _presses(scene: Scene, path: str) -> int:
    return int((await scene.page("POST", path)).status_code)


ATTACKS = [
    Attack("a code is guessed by many tabs at once", guesses_in_parallel, "locked", is_blind=False),
    Attack("a used code is tried again on another line", replays_a_used_code, "wrong code"),
    Attack("a code is tried after its time", tries_a_code_that_is_too_old, "too old"),
    Attack("codes are asked for without end", has_codes_sent_without_end, "capped"),
    Attack("a code is sent to who wants none", has_a_code_sent_to_who_wants_none, "not sent"),
    Attack("a link is sent to who wants none", has_a_link_sent_to_who_wants_none, "not sent"),
    Attack("an address of one's own is proven on a spoofed call", proves_an_address_of_their_own, "nothing of the victim's", CLOSED,
           CONTACT, FILED, statements_apart=FILED_ELSEWHERE),
    Attack("an address of one's own is proven on a spoofed call while a chat is open", proves_an_address_of_their_own,
           "nothing of the victim's", OPEN, CONTACT | {"InteractionLink"}, GOES_ON, statements_apart=FILED_ELSEWHERE),
    Attack("a spoofed call says another name and postcode while the customer chats", says_other_facts_on_a_spoofed_call,
           "booked as the victim said", OPEN, CONTACT | BOOKED, GOES_ON, statements_apart=FILED_ELSEWHERE),
    Attack("a host site's token is forged", forges_a_host_token, "identity_refused, identity_expired", OPEN),
    Attack("a stolen visitor token is used after the log-out", uses_a_token_after_log_out, "identity_used", CLOSED, SIGNED_IN, FILED,
           statements_apart=FILED_ELSEWHERE),
    Attack("a visitor token is planted before the sign-in", plants_a_token, "somebody new", CLOSED, SIGNED_IN | JOINED, FILED,
           statements_apart=FILED_ELSEWHERE),
    Attack("a shared tablet's token is kept until the victim proves", waits_at_a_shared_tablet, "somebody new", CLOSED,
           SIGNED_IN | JOINED, FILED, statements_apart=FILED_ELSEWHERE),
    Attack("a link is opened twice", opens_a_link_twice, "302, 410, 410"),
    Attack("a link is altered, guessed or too old", opens_a_link_too_late_or_altered, "404, 404, 410"),
    Attack("another site presses a link's button", presses_the_button_from_another_site, "403"),
    Attack("the victim's phone is rung", has_the_victim_called, "calling", OPEN),
]  # fmt: skip
