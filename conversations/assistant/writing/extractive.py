"""The writer without a model: it only picks out, joins and tidies what stands there, so it says nothing that nobody said."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from django.utils.translation import gettext as _

from conversations.assistant import acts, answers, wording
from conversations.assistant.recording import TurnRecord
from conversations.assistant.wrap_up import BOOKINGS, first_and_last, is_overtaken, short
from conversations.assistant.writing.base import CORRECTED, Draft, Happened, Heard, MayLeave, Mood, Passage, Point, WrapUp
from conversations.assistant.writing.endings import ending_of
from conversations.assistant.writing.questions import (
    FEWEST_WORDS,
    MOST_POINTS,
    OURS,
    SENTENCE_END,
    is_left,
    is_thanks,
    is_waiting,
    left_unanswered,
    open_in,
)

PROMISE: Final = re.compile(r"\b(?:I|[Ww]e|[Oo]ur \w+)(?:['’]ll| will| shall|['’]m going to| am going to|['’]re going to| are going to)\b")
CALLS: Final = ("callback.", "action.")
MONEY: Final = re.compile(r"[£$€]\s?\d|\d\s?[£$€]")
ABOUT_MONEY: Final = re.compile(
    r"[£$€]|\b(?:costs?|prices?|much|charged?|charges|pay|paid|payment|refund\w*|money|fees?|bills?|invoices?|discount|compensat\w*"
    r"|cuesta|precio|pagar|pago|dinero|factura|reembolso)\b",
    re.IGNORECASE,
)
TO_DO: Final = ("callback.requested", "callback.changed", "action.", "ticket.")
MESSAGE_LEFT: Final = "voicemail"
BEGINNING: Final = re.compile(
    r"(^|(?<!\be\.g)(?<!\bi\.e)(?<!\betc)(?<!\bapprox)[.!?]\s+|\n)([a-zà-ÿ])(?=\w*[\s,.!?']|\w*$)"
)
"""The first letter of a sentence; none begins after “e.g.”."""
PLACEHOLDER: Final = re.compile(r"\{([A-Za-z_]+)(?:\|([^{}]*))?\}")
GREETING: Final = re.compile(r"(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|hola|buen[oa]s)\b", re.IGNORECASE)
SIGN_OFF: Final = re.compile(
    r"(?:regards|wishes|sincerely|cheers|thanks|thank you|gracias|saludos?)[,.!]?(?:\s+\S+){0,3}\s*$", re.IGNORECASE
)
CONTRACTIONS: Final[Mapping[str, str]] = {
    "can't": "cannot", "won't": "will not", "shan't": "shall not", "n't": " not", "i'm": "I am", "'re": " are", "'ve": " have",
    "'ll": " will", "let's": "let us", "that's": "that is", "it's": "it is", "there's": "there is", "what's": "what is",
    "here's": "here is",
}  # fmt: skip
"""What always means the same written out. “'s” and “'d” may mean several things, so they stay but for these."""
CONTRACTED: Final = re.compile(
    r"\b(?:can't|won't|shan't|i'm|let's|that's|it's|there's|what's|here's)\b|(?<=\w)(?:n't|'re|'ve|'ll)\b", re.IGNORECASE
)


class ExtractiveWriter:
    """See `Writer`. Rewriting is what rules can do rightly: marks, placeholders, a greeting, contractions."""

    name = "extractive"

    def __init__(self) -> None:
        self._rewriting: Mapping[str, Callable[[str, Mapping[str, str]], str]] = {
            "tidy": _tidy, "greeting": _with_greeting, "written_out": _written_out,
        }  # fmt: skip
        self.styles = tuple(self._rewriting)

    async def wrap_up(self, heard: Heard, record: TurnRecord) -> WrapUp:
        """See `Writer`."""
        return WrapUp(await self.summary(heard, record), ending_of(heard), _mood(heard), _to_do(heard), open_in(heard))

    async def summary(self, heard: Heard, record: TurnRecord) -> str:
        """See `Writer`: why they came, what was done, how it ended, what is open."""
        parts = (*_why(heard), *_done(heard), *_ended(heard), *_left_open(heard))
        return " ".join(part for part in parts if part)

    async def reply(
        self, heard: Heard, question: str, passages: tuple[Passage, ...], may_leave: MayLeave, record: TurnRecord
    ) -> Draft | None:
        """See `Writer`: the sentences of the best passage that answer the question; a visit to be moved or called off is no question."""
        if _is_a_deed(question):
            return None
        for passage in passages:
            text = answers.fitting(passage.text, question, spoken=False)
            if text and not may_leave(text) and not _promises_unasked(text, question):
                return Draft(text, ((passage.title, passage.url),))
        return None

    async def summary_and_reply(
        self, heard: Heard, seen: Heard, question: str, passages: tuple[Passage, ...], may_leave: MayLeave, record: TurnRecord
    ) -> tuple[str, Draft | None]:
        """See `Writer`."""
        return await self.summary(heard, record), await self.reply(seen, question, passages, may_leave, record)

    async def rewrite(self, text: str, style: str, known: Mapping[str, str], record: TurnRecord) -> str:
        """See `Writer`."""
        return self._rewriting[style](text, known)


def _is_a_deed(words: str) -> bool:
    """Whether a visit shall be moved or called off, which no article does."""
    plain = acts.plain(words)
    wanted = acts.MOVE.search(plain) or acts.GIVE_UP.search(plain)
    return wanted is not None and acts.is_request(words) and not acts.wants_to_know(words)


def _promises_unasked(text: str, question: str) -> bool:
    """Whether a text speaks of money to somebody who asks for something to be done and not what it costs."""
    return acts.is_request(question) and MONEY.search(text) is not None and ABOUT_MONEY.search(question) is None


def _why(heard: Heard) -> list[str]:
    """Who came about what, in the words that tell most of it."""
    name = heard.name or _("The customer")
    sentences = [_("Emergency.")] if heard.urgency == "emergency" else []
    if heard.reason:
        sentences.append(_("%(name)s came about: %(reason)s.") % {"name": name, "reason": heard.reason})
    else:
        sentences.append(_("%(name)s has not said clearly what it is about.") % {"name": name})
    told = _in_their_words(heard)
    return [*sentences, _("In their words: %(words)s.") % {"words": told}] if told else sentences


def _in_their_words(heard: Heard) -> str:
    """What they said first and last of their own accord and that tells something, each in marks; else the longest.

    An answer to a question tells less.
    """
    following = zip((None, *heard.said), heard.said, strict=False)
    words = [(each, before) for before, each in following if each.by == "customer" and each.text.strip()]
    own = [each.text for each, before in words if not (before and before.by in OURS and before.asked)]
    telling = [text for text in own if len(text.split()) >= FEWEST_WORDS and not is_thanks(text)]
    told = first_and_last(telling) if telling else [max((each.text for each, _before in words), key=len, default="")]
    return wording.listed([f"“{short(text)}”" for text in told if text])


def _done(heard: Heard) -> list[str]:
    """What was booked, opened, promised and answered, each once."""
    told = (*BOOKINGS, MESSAGE_LEFT)
    done = list(dict.fromkeys(_as_sentence(each.sentence) for each in _standing(heard) if each.kind in told or each.kind.startswith(TO_DO)))
    answered = list(dict.fromkeys(title for each in heard.said for title in each.sources))
    if answered:
        done.append(_("Answered from: %(titles)s.") % {"titles": wording.listed([f"“{title}”" for title in answered])})
    return done


def _as_sentence(text: str) -> str:
    """With a full stop at its end where it has no mark there: what a call is about is a few words."""
    return text if text.rstrip().endswith((".", "!", "?", "”", "…")) else f"{text.rstrip()}."


def _ended(heard: Heard) -> list[str]:
    """Whom it was passed to and why, who answered, and whether the customer was left without an answer."""
    asked = next((each for each in reversed(heard.happened) if each.kind == "handoff.requested"), None)
    joined = list(dict.fromkeys(each.name for each in heard.said if each.by == "agent" and each.name))
    ended = []
    if asked:
        ended.append(_("Passed to a person: %(why)s") % {"why": asked.sentence})
    if joined:
        ended.append(_("%(names)s answered.") % {"names": wording.listed(joined)})
    if is_waiting(heard):
        ended.append(_("No person has answered yet."))
    elif is_left(heard):
        ended.append(_("The customer spoke last, and nobody answered."))
    elif not asked and not joined and not any(each.kind in BOOKINGS for each in heard.happened):
        ended.append(_how_it_was_left(heard))
    return ended


def _how_it_was_left(heard: Heard) -> str:
    if left_unanswered(heard):
        return _("The customer left without answering the last question.")
    if open_in(heard):
        return _("The AI agent could not answer everything.")
    return _("The AI agent answered to the end.")


def _left_open(heard: Heard) -> list[str]:
    left = [each.text for each in open_in(heard)]
    return [_("Open: %(what)s.") % {"what": wording.listed([f"“{text}”" for text in left])}] if left else []


def _mood(heard: Heard) -> Mood | None:
    course = [each.mood for each in heard.said if each.mood is not None]
    return Mood(course[0], course[-1], min(course)) if course else None


def _to_do(heard: Heard) -> tuple[Point, ...]:
    """What was promised: what stands in the record as such, and our own sentences that promise something."""
    points = [Point(each.sentence, each.seq) for each in _standing(heard) if each.kind.startswith(TO_DO)]
    points += [Point(_("Listen to the message that was left."), each.seq) for each in heard.happened if each.kind == MESSAGE_LEFT]
    is_called_back = any(each.kind == "callback.requested" for each in heard.happened)
    for each in heard.said:
        for sentence in SENTENCE_END.split(each.text) if each.by == "agent" else ():
            repeats = is_called_back and "call you back" in sentence
            if PROMISE.search(sentence) and not sentence.rstrip().endswith("?") and not repeats:
                points.append(Point(short(sentence), each.seq))
    return tuple(points[-MOST_POINTS:])


def _standing(heard: Heard) -> list[Happened]:
    """What happened, without what was said before of a call back or a visit that was moved or called off since.

    The call that is promised when people are to take over has no detail, and the newest word of it counts.
    """
    left: list[Happened] = []
    changed = {each.visit: each.seq for each in heard.happened if each.visit and each.detail != CORRECTED}
    for each in (each for each in heard.happened if not is_overtaken(each.visit, each.seq, changed)):
        if each.kind.startswith("callback.") and (each.kind != "callback.requested" or not each.detail):
            left = [before for before in left if not (before.kind.startswith(CALLS) and before.detail == each.detail)]
        if each.kind != "callback.cancelled":
            left.append(each)
    return left


def _tidy(text: str, known: Mapping[str, str]) -> str:
    """Spaces and marks as they should be, sentences with a capital letter, placeholders spelt rightly and filled in."""
    filled = PLACEHOLDER.sub(lambda found: _filled(found, known), text)
    lines = [" ".join(line.split()) for line in filled.strip().splitlines()]
    joined = re.sub(r"\n{3,}", "\n\n", "\n".join(lines))
    joined = re.sub(r"([!?])\1+", r"\1", joined)
    joined = re.sub(r"\s+([,.;!?])(?=\s|$)", r"\1", joined)
    joined = re.sub(r"\bi\b(?=['’ ])(?!\.)", "I", joined)
    return BEGINNING.sub(lambda found: found[1] + found[2].upper(), joined)


def _filled(found: re.Match[str], known: Mapping[str, str]) -> str:
    """A placeholder by what is known, under the name that was meant; left for the person when nothing is known."""
    name = found[1].lower()
    meant = name if name in known else next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=0.75)), name)
    return known.get(meant) or (found[2] or "").strip() or f"{{{found[1]}}}"


def _with_greeting(text: str, known: Mapping[str, str]) -> str:
    """The text with a greeting before and a sign-off after it, where it has none; nothing else is changed."""
    parts: Sequence[str] = [text.strip()]
    if not GREETING.match(text.strip()):
        name = known.get("first_name", "")
        parts = [_("Hello %(name)s,") % {"name": name} if name else _("Hello,"), *parts]
    if not SIGN_OFF.search(text) and known.get("agent"):
        parts = [*parts, _("Kind regards,\n%(name)s") % {"name": known["agent"]}]
    return "\n\n".join(parts)


def _written_out(text: str, known: Mapping[str, str]) -> str:
    """Contractions written out in full."""
    return CONTRACTED.sub(_full, text.replace("’", "'")) if CONTRACTED.search(text.replace("’", "'")) else text


def _full(found: re.Match[str]) -> str:
    full = CONTRACTIONS[found[0].lower()]
    return full[0].upper() + full[1:] if found[0][0].isupper() else full
