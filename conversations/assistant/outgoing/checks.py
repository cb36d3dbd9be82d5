"""The checks of one text that is to leave. Plain functions: no database, the same text always gets the same answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Final

from conversations.assistant.outgoing.claims import SENTENCE_END, is_denied, untrue_claim
from conversations.assistant.outgoing.forms import digits_said, runs_of_words, squeezed, words
from conversations.assistant.outgoing.instructions import NAMES, speaks_to_machines
from conversations.assistant.outgoing.private import Private
from conversations.assistant.outgoing.sources import Sources
from conversations.services.redaction import mask

WORDS_OF_A_POLICY: Final = 8
LONGEST_WRITTEN: Final = 2_500
LONGEST_SPOKEN: Final = 1_500
LONG_DIGITS: Final = 5
LAST_DIGITS: Final = 8
DIGITS_IN_WORDS: Final = 7

MARKUP: Final = re.compile(r"<\s*[/!?]?\s*[a-z][^>]*>|<\||\|>|!\[|\[/?INST\]|(?:javascript|data|vbscript):\S", re.IGNORECASE)
ADDRESS: Final = re.compile(r"\b[a-z][a-z0-9+.-]*://([^\s/?#)\]>\"']*)|\bwww\.([^\s/?#)\]>\"']+)", re.IGNORECASE)
ENDINGS: Final = r"com|net|org|io|info|biz|co|uk|es|example|test|app|dev|ru|cn|link|page|site|online|shop|xyz|click|top"
BARE_HOST: Final = re.compile(rf"(?<![@\w./-])((?:[a-z0-9-]+\.)+(?:{ENDINGS}))\b(?!@)", re.IGNORECASE)
EMAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
REFERENCE: Final = re.compile(
    r"\b[A-Z]{2}-[A-Z0-9]{6}\b|\b(?=[A-Za-z-]*\d)[A-Za-z]{2,5}-[A-Za-z0-9]{4,12}\b|\b(?=[A-Z]*\d)(?=\d*[A-Z])[A-Z0-9]{6,12}\b"
)
DIGITS: Final = re.compile(r"\d(?:[ \u00a0().-]{0,2}\d){4,}")
NO_NUMBER: Final = re.compile(
    r"\b\d{1,2}[:.h]\d{2}\b|\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}[/.]\d{1,2}[/.]\d{2,4}\b|(?<=[a-z,] )(?:19|20)\d\d\b", re.IGNORECASE
)
AMOUNT: Final = re.compile(
    r"[£€$]\s?(\d[\d,]*(?:\.\d+)?)"
    r"|(\d[\d,]*(?:\.\d+)?)\s?(?:£|€|%|(?:pounds?|euros?|dollars?|libras?|d[oó]lares|gbp|eur|usd|per ?cent)\b)",
    re.IGNORECASE,
)
PROMISED: Final = re.compile(
    r"\b(?:we|i)(?:'ll| will| can| shall)\b[^.?!]{0,60}\b(refund|discount|compensat\w+|voucher|waive|free of charge|for free)\b"
    r"|\b(?:full|free) (refund|upgrade)\b",
    re.IGNORECASE,
)
INTERNAL: Final = re.compile(rf"\b{NAMES}\b|\bform_state\b|\btool_use\b")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a text does not leave: a word for programs, and for staff what it was about, without the value."""

    reason: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the checks need to know of one line in one turn.

    `secrets` are squeezed texts that never leave, `policies` the runs of words of the AI agent's instructions, `pieces` the
    short ones that such a run may begin or go on with.
    """

    private: Private
    secrets: frozenset[str]
    policies: frozenset[tuple[str, ...]]
    pieces: frozenset[tuple[str, ...]]
    hosts: frozenset[str]


def refusal_of(text: str, bounds: Bounds, sources: Sources, happened: Iterable[str], *, is_part: bool = False) -> Refusal | None:
    """The first reason why a text may not leave; None when it may. `happened` is what was done for this party (`claims.deeds_of`).

    Of a text that `is_part` of a longer one, the first and the last sentence may be parts, too.
    """
    for check in CHECKS:
        found = check(text, bounds, sources)
        if found:
            return found
    claimed = untrue_claim(text, frozenset(happened), partial(sources.publish, is_part=is_part))
    return Refusal("promise", claimed) if claimed else _promised(text, sources)


def _secret(text: str, bounds: Bounds, sources: Sources) -> Refusal | None:
    form = squeezed(text)
    if any(secret in form for secret in bounds.secrets):
        return Refusal("secret")
    if bounds.policies & runs_of_words(text, WORDS_OF_A_POLICY):
        return Refusal("own_instructions")
    if INTERNAL.search(text):
        return Refusal("own_instructions", "tools")
    return Refusal("own_instructions", "instructions") if speaks_to_machines(text) else None


def _private(text: str, bounds: Bounds, sources: Sources) -> Refusal | None:
    private = bounds.private
    if not (private.values or private.quotes):
        return None
    forms = [squeezed(text), *digits_said(text)]
    for what, writings in private.values:
        if any(writing in form for writing in writings for form in forms) and not any(map(sources.hold, writings)):
            return Refusal("private", what)
    named = private.names.intersection(words(text)) - sources.words
    if any(_is_meant_as_name(word, text) for word in named):
        return Refusal("private", "name")
    return Refusal("private", "words") if private.quotes & runs_of_words(text, 6) else None


def _is_meant_as_name(word: str, text: str) -> bool:
    """A rare word always; a short one, which may mean something else, when it has a capital within a sentence."""
    if len(word) > 5:
        return True
    return re.search(rf"(?:[\w,“\"(:] ?)\b{re.escape(word.capitalize())}\b", text) is not None


def _markup(text: str, bounds: Bounds, sources: Sources) -> Refusal | None:
    if MARKUP.search(text):
        return Refusal("markup")
    hosts = {(found[1] or found[2]).lower() for found in ADDRESS.finditer(text)} | {found[1].lower() for found in BARE_HOST.finditer(text)}
    foreign = {host for host in hosts if not _is_allowed(host, bounds.hosts | sources.hosts) and not sources.hold(squeezed(host))}
    linked = {host for host in hosts if not _is_allowed(host, bounds.hosts | sources.hosts)} if ADDRESS.search(text) else set()
    return Refusal("link", ", ".join(sorted(foreign | linked))[:200]) if foreign or linked else None


def _is_allowed(host: str, allowed: Iterable[str]) -> bool:
    plain = host.rpartition("@")[2].removeprefix("www.")
    return "@" not in host and any(plain == each.removeprefix("www.") for each in allowed if each)


def _card(text: str, bounds: Bounds, sources: Sources) -> Refusal | None:
    return Refusal("card") if mask(text) != text else None


def _invented(text: str, bounds: Bounds, sources: Sources) -> Refusal | None:
    for found in EMAIL.findall(text):
        if not sources.hold(squeezed(found)):
            return Refusal("invented", "email")
    for reference in REFERENCE.findall(text):
        if not sources.hold(squeezed(reference)):
            return Refusal("invented", "reference")
    for amount in AMOUNT.finditer(text):
        if Decimal((amount[1] or amount[2]).replace(",", "").rstrip(".")) not in sources.numbers:
            return Refusal("invented", "amount")
    rest = AMOUNT.sub(" , ", NO_NUMBER.sub(" , ", text))
    numbers = [squeezed(found) for found in DIGITS.findall(rest)]
    numbers += [digits for digits in digits_said(rest) if len(digits) >= DIGITS_IN_WORDS]
    if any(not sources.hold(number[-LAST_DIGITS:]) for number in numbers if len(number) >= LONG_DIGITS):
        return Refusal("invented", "number")
    return None


def _promised(text: str, sources: Sources) -> Refusal | None:
    for sentence in SENTENCE_END.split(text.replace("’", "'")):
        promised = PROMISED.search(sentence)
        if promised and squeezed(promised[1] or promised[2]) not in sources.words and not is_denied(sentence[: promised.end()]):
            return Refusal("promise", promised[0])
    return None


Check = Callable[[str, Bounds, Sources], Refusal | None]
CHECKS: Final[tuple[Check, ...]] = (_secret, _private, _markup, _card, _invented)
