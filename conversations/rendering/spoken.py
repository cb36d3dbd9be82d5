"""How a written reply is said: short, without addresses, with codes, numbers and times read out one by one.

The result is plain words, the same for every voice; `ncco` escapes and wraps them.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from conversations.rendering import cards

MAX_CHOICES: Final = 4
WEB_ADDRESS: Final = re.compile(r"(?:,? \b(?:or|and))?(?: ?\b(?:see|visit|at))? ?\(?\b(?:https?://|www\.)[^\s)]+\)?", re.IGNORECASE)
MARKDOWN_LINK: Final = re.compile(r"\[([^\]]+)\]\([^)]*\)")
MARKS: Final = re.compile(r"[*_`#<>|\[\]{}~^\\]+")
BULLET: Final = re.compile(r"(?m)^\s*[-•–*+]\s+")
LIST_IN_A_LINE: Final = re.compile(r"(?m)[:.;][ \t]+[-•–*+][ \t]+(?=\S).*$| • .*$")
"""A list whose items are written one after the other, from what announces it on."""
ITEM_IN_A_LINE: Final = re.compile(r"(?P<end>[:.;,]?)(?:(?<!\d)|(?=[ \t]+[-•–*+][ \t]+\D))[ \t]+[-•–*+][ \t]+(?=\S)")
STEP: Final = re.compile(r"(?m)^\s*(\d{1,2})[.)]\s+(?=\D)")
TAG: Final = re.compile(r"</?[a-zA-Z!][^<>]*>")
UNSPEAKABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML, and so SSML, cannot hold."""
ISO_DAY: Final = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
RANGE: Final = re.compile(r"(?<=\d)\s?[–—]\s?(?=[£€$]?\d)")
STREET: Final = re.compile(r"(?<=[a-z] )(St|Rd|Ave|Ln|Sq)\b\.?(?=[,.]|$|\s+[A-Z])")
WORDS_OF_STREETS: Final = {"St": "Street", "Rd": "Road", "Ave": "Avenue", "Ln": "Lane", "Sq": "Square"}
SHORT_WORDS: Final = {"e.g.": gettext_noop("for example"), "i.e.": gettext_noop("that is"), "&": gettext_noop("and")}
SHORT_WORD: Final = re.compile(r"\be\.g\.|\bi\.e\.|(?<=\s)&(?=\s)")
LONGEST_SENTENCE: Final = 30
"""In words; more than that nobody follows by ear."""
PAUSE: Final = re.compile(r"(?:;|:|,| [–—-])\s+(?=\w)")
EMAIL: Final = re.compile(r"\b([\w.+-]+)@([\w-]+(?:\.[\w-]+)+)\b")
POSTCODE: Final = re.compile(r"(?<![\w-])([A-Z]{1,2}[0-9][A-Z0-9]?) ?([0-9][A-Z]{2})\b")
REFERENCE: Final = re.compile(r"\b(?=[A-Z0-9-]*[0-9])(?=[A-Z0-9-]*[A-Z])(?:[A-Z0-9]+(?:-[A-Z0-9]+)+|[A-Z0-9]{5,12})\b")
VISIT_REFERENCE: Final = re.compile(r"\b[A-Z]{2}-[A-Z0-9]{6}\b")
WORD_IN_CAPITALS: Final = re.compile(r"[A-Z]{4}")
TIME_SPAN: Final = re.compile(r"\b([01]?\d|2[0-3])[:.]([0-5]\d)\s*(?:-|–|—|to|a)\s*([01]?\d|2[0-3])[:.]([0-5]\d)\b")
TIME: Final = re.compile(r"\b([01]?\d|2[0-3]):([0-5]\d)\b")
LONG_NUMBER: Final = re.compile(r"\+?\b\d(?:[ \u00a0]?\d){4,15}\b")
WORDS_A_SECOND: Final = 2.7
MONEY: Final = re.compile(r"([£€$])\s?(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d{2}))?")
NAMES_OF_CURRENCIES: Final = {
    "£": gettext_noop("%(amount)s pounds"),
    "€": gettext_noop("%(amount)s euros"),
    "$": gettext_noop("%(amount)s dollars"),
}
WORDS_OF_DAYS: Final = {
    "Mon": "Monday", "Tue": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday", "Fri": "Friday", "Sat": "Saturday",
    "Sun": "Sunday",
}  # fmt: skip
SHORT_DAY: Final = re.compile(rf"\b({'|'.join(WORDS_OF_DAYS)})\b\.?")
WORDS_OF_MONTHS: Final = {
    "Jan": "January", "Feb": "February", "Mar": "March", "Apr": "April", "Jun": "June", "Jul": "July", "Aug": "August",
    "Sep": "September", "Sept": "September", "Oct": "October", "Nov": "November", "Dec": "December",
}  # fmt: skip
SHORT_MONTH: Final = re.compile(rf"(?<=\d )({'|'.join(WORDS_OF_MONTHS)})\b\.?")
SENTENCE_END: Final = re.compile(r"(?<=[.?!…])\s+")


def words(body: str, data: Mapping[str, Any] | None = None) -> str:
    """What is said for a message with `body` and the entry's `data`: the words, what only its cards show, the quick replies as a list.

    Where a link is left out and the data say that one can be texted to the caller (`link_by_text`), that is offered.
    """
    data = data or {}
    said, question = _without_last_question(_said(body))
    if data.get("link_by_text") and (MARKDOWN_LINK.search(body) or WEB_ADDRESS.search(body)):
        said.append(_("I can send you the link by text message."))
    said += [*(_said(sentence) for sentence in cards.unsaid(data.get("cards"), body)), question]
    every = _labels(data.get("quick_replies"))
    # To a question, everybody knows that yes and no can be said.
    labels = [label for label in every if label not in (_("Yes"), _("No")) and not _is_told(label, body)]
    if labels:
        sentence = _("You can say: %(choices)s.") if _("Yes") not in every else _("You can also say: %(choices)s.")
        said.append(sentence % {"choices": _listed(_said(label) for label in labels)})
    return " ".join(sentence for sentence in said if sentence).replace(".m..", ".m.")


def sentences(text: str) -> list[str]:
    """`text` cut after each full stop, question mark or exclamation mark."""
    return [sentence for sentence in SENTENCE_END.split(text.strip()) if sentence]


def seconds_to_say(text: str) -> float:
    """About how long a voice needs for `text`, with a short start. An estimate, never a record."""
    return 0.4 + len(text.split()) / WORDS_A_SECOND


def spelled(characters: str) -> str:
    """Letters and digits one by one, with a pause after every third or fourth: “0 7 7, 0 0 9, 0 0 1 2 3”."""
    plain = [character for character in characters if character.isalnum()]
    size = 3 if len(plain) % 4 else 4
    groups = [plain[start : start + size] for start in range(0, len(plain), size)]
    if len(groups) > 1 and len(groups[-1]) < size - 1:
        last = groups.pop()
        groups[-1] += last
    return ", ".join(" ".join(group) for group in groups)


def last_question(body: str) -> str:
    """The last question of a message that is not answered in it, with what is said after it of how to answer; empty without one."""
    every = sentences(_said(body))
    asked = [place for place, sentence in enumerate(every) if sentence.endswith("?")]
    return " ".join(every[asked[-1] :]) if asked and asked[-1] >= len(every) - 2 else ""


def _without_last_question(said: str) -> tuple[list[str], str]:
    """What is said before the question at the end, and that question, which comes last whatever else is told."""
    *before, last = sentences(said) or [""]
    return ([" ".join(before)], last) if before and last.endswith("?") else ([said], "")


def _is_told(label: str, body: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(label.lower())}(?!\w)", body.lower()) is not None


def _said(text: str) -> str:
    text = MARKDOWN_LINK.sub(r"\1", TAG.sub(" ", UNSPEAKABLE.sub("", text)))
    text = WEB_ADDRESS.sub("", text)
    text = LIST_IN_A_LINE.sub(_in_sentences, BULLET.sub("", text))
    text = MARKS.sub("", STEP.sub(r"\1: ", text))
    text = SHORT_WORD.sub(lambda found: _(SHORT_WORDS[found[0]]), text)
    text = EMAIL.sub(lambda found: f"{_dotted(found[1])} {_('at')} {_dotted(found[2])}", text)
    text = ISO_DAY.sub(_day, text)
    text = TIME_SPAN.sub(lambda found: f"{_clock(found[1], found[2])} {_('to')} {_clock(found[3], found[4])}", text)
    text = TIME.sub(lambda found: _clock(found[1], found[2]), text)
    text = RANGE.sub(f" {_('to')} ", text)
    text = MONEY.sub(_money, text)
    text = POSTCODE.sub(lambda found: f"{' '.join(found[1])}, {' '.join(found[2])}", text)
    text = VISIT_REFERENCE.sub(lambda found: spelled(found[0]), text)
    text = REFERENCE.sub(_reference, text)
    text = LONG_NUMBER.sub(_number, text)
    text = SHORT_DAY.sub(lambda found: WORDS_OF_DAYS[found[1]], text)
    text = SHORT_MONTH.sub(lambda found: WORDS_OF_MONTHS[found[1]], text)
    text = STREET.sub(lambda found: WORDS_OF_STREETS[found[1]], text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    joined = " ".join(line if line[-1] in ".?!:;," else f"{line}." for line in lines)
    plain = re.sub(r"\s+([.,?!])", r"\1", " ".join(joined.split()))
    return " ".join(_speakable(sentence) for sentence in sentences(plain))


def _speakable(sentence: str) -> str:
    """A sentence that is too long to be followed by ear, parted at the pause that lies nearest to its middle."""
    if len(sentence.split()) <= LONGEST_SENTENCE:
        return sentence
    pauses = [found for found in PAUSE.finditer(sentence) if sentence[found.start() - 1 : found.start()].isalpha()]
    if not pauses:
        return sentence
    middle = min(pauses, key=lambda found: abs(found.start() - len(sentence) // 2))
    first, rest = sentence[: middle.start()], sentence[middle.end() :]
    return f"{_speakable(f'{first}.')} {_speakable(rest[:1].upper() + rest[1:])}"


def _in_sentences(found: re.Match[str]) -> str:
    """The items of a list in one line, each in a sentence: nobody hears a dash."""
    return ITEM_IN_A_LINE.sub(lambda item: f"{item['end'] or '.'} ", found[0])


def _day(found: re.Match[str]) -> str:
    try:
        return date_format(date(int(found[1]), int(found[2]), int(found[3])), "j F Y")
    except ValueError:
        return found[0]


def _labels(quick_replies: object) -> list[str]:
    rows = quick_replies if isinstance(quick_replies, list) else []
    return [str(row["label"]) for row in rows if isinstance(row, Mapping) and row.get("label")][:MAX_CHOICES]


def _listed(choices: Iterable[str]) -> str:
    *first, last = [choice.removesuffix(".") if not choice.endswith(".m.") else choice for choice in choices]
    return f"{', '.join(first)} {_('or')} {last}" if first else last


def _dotted(part: str) -> str:
    return part.replace(".", f" {_('dot')} ").replace("-", f" {_('dash')} ").replace("_", f" {_('underscore')} ")


def _clock(hour: str, minute: str) -> str:
    number = int(hour)
    if number == 12 and minute == "00":
        return _("noon")
    shown = number % 12 or 12
    half = _("a.m.") if number < 12 else _("p.m.")
    return f"{shown} {half}" if minute == "00" else f"{shown} {minute} {half}"


def _reference(found: re.Match[str]) -> str:
    """Spelled out, unless it holds a word that can be said."""
    return found[0] if WORD_IN_CAPITALS.search(found[0]) else spelled(found[0])


def _number(found: re.Match[str]) -> str:
    """Digit by digit, with the pauses where the number was written with spaces."""
    return ", ".join(" ".join(group) if " " in found[0] else spelled(group) for group in found[0].lstrip("+").split())


def _money(found: re.Match[str]) -> str:
    said = _(NAMES_OF_CURRENCIES[found[1]]) % {"amount": found[2].replace(",", "")}
    return f"{said} {found[3]}" if found[3] and found[3] != "00" else said
