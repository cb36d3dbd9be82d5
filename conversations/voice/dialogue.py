"""The few things a call settles before or besides the AI agent's turn: greeting, codes, carrying on with a chat, silence."""

import re
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import override

from conversations.assistant import pauses
from conversations.models import Conversation, Entry, EntryPoint, Interaction
from conversations.rendering import spoken
from conversations.selectors.access import lines_of_party
from conversations.services import call_state, joining, split_secrets, timeline, verifying
from conversations.services.redaction import MASK, hide_digits, mask, mask_keys
from conversations.services.timeline import NewEntry
from conversations.understanding.gloss import gloss
from conversations.understanding.normalise import clean, normalise
from conversations.voice import absence, ncco, replies
from conversations.voice.ncco import Ncco
from conversations.voice.protocol import CallInput
from routing.compiled import CompiledOnce, Given

STAGE_OPENING: Final = "opening"
STAGE_JOIN: Final = "join"
STAGE_NONE: Final = ""
PERSON_KEY: Final = "0"
SPOKEN_CODE: Final = re.compile(r"(?:[a-z' ]*\b(?:is|it's|code)\b[:,]?\s*)?((?:\d[ -]?){5}\d)[.!]?", re.IGNORECASE)
YES: Final = re.compile(
    r"\W*(?:yes|yeah|yep|yup|sure|correct|right|ok|okay|please do|go ahead|carry on|that's right|i was|i did|sí|si|claro|vale)\b",
    re.IGNORECASE,
)
NO: Final = re.compile(r"\W*(?:no|nope|nah|not really|i wasn't|i was not)\b[\s,.]*(?:thanks|thank you|gracias)?\W*", re.IGNORECASE)
LONGEST_MERE_YES: Final = 5
MOST_MOMENTS: Final = 6
"""To so many silences whoever asked for a moment is left in peace: with the music for some three minutes."""
MOST_SAID_AGAIN: Final = 2
"""To so many silences the question is put again, before a person is offered."""
RESTS_OF_A_CARD: Final = range(7, 14)
"""How many digits may be left of a card's number when the first six were taken for a code."""
SAID_BEFORE: Final = CompiledOnce(
    lambda: Entry.objects.filter(source_id__any_of=Given("sources")).order_by().values_list("pk")[:1]
)


@dataclass(frozen=True, slots=True)
class Words:
    """What the caller said, to be answered by a turn, with what the line knows of it."""

    text: str
    data: dict[str, Any]


def greet(call: Interaction) -> None:
    """Say hello after the disclosure, once: how to help, or whether to carry on with a recent chat.

    What that chat was about is not said: the number shows whose phone it is, not who is speaking.
    """
    chat = joining.claimed_recently(call.party, besides=call.conversation) if call.assurance != "claimed" else None
    if call.conversation.owner_agent:
        # The number shows whose phone it is, not who is speaking.
        here = _("A colleague of mine will answer you here. Please say what it is about.")
        text = absence.greeting(call) if absence.is_nobody_in(call) else here
    elif chat:
        text = _("Were you in touch with us by web chat a moment ago? Say yes to carry on with that, or tell me how I can help.")
    else:
        text = _("If you have a six-digit code from our web chat, key it in now. Otherwise, please tell me how I can help.")
    if not Entry.objects.filter(interaction=call, kind="disclosure.shown").exists():
        # No AI answers here, but it is still a machine that speaks.
        automated = _("This is the automated voice of %(company)s.") % {"company": call.entry_point.company_name}
        text = f"{automated} {text}"
    _say(call, text, source_id=f"greeting:{call.provider_id}")
    _remember(call, stage=STAGE_JOIN if chat else STAGE_OPENING, chat=chat.pk if chat else None, silences=0)


def was_said_before(given: CallInput) -> bool:
    """Whether the history has this already, since the platform sends it once more."""
    return SAID_BEFORE.first(sources=[given.source_id, _keys_id(given)]) is not None


def settle(call: Interaction, given: CallInput, *, is_new: bool = False) -> Words | Ncco | None:
    """What follows from something said or keyed; with `is_new` it is known to come for the first time.

    Words when the AI agent or a person must answer it, actions when nothing but they is due, None when an entry was
    written that is to be said.
    """
    if not given.digits and not given.hypotheses:
        return _silence(call, given)
    text = given.digits or _as_typed(call, given.hypotheses[0].text)
    if not is_new and was_said_before(given):
        return _repeated(call, given, text)
    return _keyed(call, given) if given.digits else _spoken(call, given, text)


def _as_typed(call: Interaction, heard: str) -> str:
    """What was said as it would have been typed; only English says how its numbers and letters are written."""
    return normalise(heard, spoken=True) if call.language.startswith("en") else clean(heard)


def _repeated(call: Interaction, given: CallInput, text: str) -> Words | Ncco | None:
    """The platform sends the same once more: a turn's words go the same way, all else is said again."""
    if given.digits:
        return _keyed_again(call, given)
    entry = Entry.objects.filter(source_id=given.source_id, data__has_key="for_turn").first()
    return Words(text, {}) if entry else replies.again(call)


def _keyed_again(call: Interaction, given: CallInput) -> Words | Ncco | None:
    """The keys are in the history; what follows from them may be missing, when the process died in between."""
    if not is_code(given.digits, call):
        return _words_of_keys(call, given)
    was_tried = call.data.get("code_given") == given.source_id or call.assurance == "verified"
    return replies.again(call) if was_tried else _redeem(call, given, given.digits)


def _spoken(call: Interaction, given: CallInput, text: str) -> Words | Ncco | None:
    stage = call.data.get("stage")
    best = given.hypotheses[0]
    meant = normalise(gloss(text, call.language.partition("-")[0]), spoken=True)
    code = SPOKEN_CODE.fullmatch(meant)
    if code and (stage in (STAGE_OPENING, STAGE_JOIN) or "code" in text.lower()) and verifying.live_code(call) is None:
        note_words(call, given, _("(a code)"))
        return _redeem(call, given, re.sub(r"\D", "", code[1]))
    _remember(call, stage=STAGE_NONE, silences=0, moments=MOST_MOMENTS if pauses.asks_for_a_moment(meant) else 0)
    if stage == STAGE_JOIN and YES.match(text):
        _join_recent_chat(call)
        if len(text.split()) <= LONGEST_MERE_YES:
            note_words(call, given, text)
            _remember(call, stage=STAGE_OPENING)
            welcome(call)
            return None
    elif stage == STAGE_JOIN and NO.fullmatch(text):
        note_words(call, given, text)
        _say(call, _("No problem. How can I help?"), source_id=f"{given.source_id}:reply")
        return None
    readings = [each.text for each in given.hypotheses]
    data: dict[str, Any] = {"spoken": True, "for_turn": True, "confidence": best.confidence}
    if all(mask(each) == each for each in [text, *readings]):
        data["hypotheses"] = readings
    heard = replies.heard(call, next_words=text, ended_at=given.at)
    return Words(text, data | ({"heard": heard} if heard else {}))


def _keyed(call: Interaction, given: CallInput) -> Words | Ncco | None:
    _remember(call, silences=0)
    note_keys(call, given)
    return _redeem(call, given, given.digits) if is_code(given.digits, call) else _words_of_keys(call, given)


def note_keys(call: Interaction, given: CallInput) -> None:
    """Writes down, once, that keys were pressed; several cannot be read, since they may be a code or a card's number."""
    timeline.append(
        call.conversation_id,
        NewEntry(
            kind="call.dtmf",
            actor_kind="customer",
            audience="staff",
            interaction=call,
            occurred_at=given.at,
            source_id=_keys_id(given),
            data={"digits": given.digits if len(given.digits) == 1 else MASK * len(given.digits)},
        ),
    )


def is_code(keys: str, call: Interaction) -> bool:
    """Whether keys may be a code from a chat: six digits, while no code that was sent to the caller is waited for."""
    return len(keys) == joining.CODE_DIGITS and keys.isdigit() and verifying.live_code(call) is None


def _words_of_keys(call: Interaction, given: CallInput) -> Words:
    """What the keys say, for a turn."""
    if given.digits == PERSON_KEY:
        return Words(_("I would like to speak to a person."), {"for_turn": True})
    language = replies.language_keys(call).get(given.digits) if call.data.get("stage") in (STAGE_OPENING, STAGE_JOIN) else None
    if language:
        with override(language):
            return Words(_("In English, please."), {"for_turn": True})
    kept = hide_digits(given.digits) if _may_go_on_from_a_code(call, given) else mask_keys(given.digits)
    return Words(kept, {"for_turn": True})


def _may_go_on_from_a_code(call: Interaction, given: CallInput) -> bool:
    """Whether the keys before these were as many as a code has, and these may be the rest of a card's number.

    What is taken for a code is kept nowhere, so nothing can tell for sure.
    """
    before = Entry.objects.filter(interaction=call, kind="call.dtmf", recorded_at__gt=Now() - split_secrets.WINDOW)
    last = before.exclude(source_id=_keys_id(given)).order_by("-pk").first()
    follows = last is not None and last.data.get("digits") == MASK * joining.CODE_DIGITS
    return follows and len(given.digits) in RESTS_OF_A_CARD and not given.digits.startswith("0")


def _redeem(call: Interaction, given: CallInput, code: str) -> Ncco | None:
    _remember(call, code_given=given.source_id)
    try:
        joined = joining.redeem_code(code, call)
    except joining.TooManyAttempts:
        _remember(call, stage=STAGE_NONE)
        return replies.aside(call, _("That is not a code I can use, and I cannot take another one. Please tell me how I can help."))
    if joined is None:
        with transaction.atomic():
            # They are kept nowhere, but may end a card's number whose beginning was taken for words.
            split_secrets.settle(call.provider_id, code, source_id=given.source_id)
        return replies.aside(call, _("I do not know that code, or it is too old. Try once more, or tell me how I can help."))
    _remember(call, stage=STAGE_NONE)
    welcome(call)
    return None


def _join_recent_chat(call: Interaction) -> None:
    chat = Conversation.objects.filter(pk=call.data.get("chat"), status=Conversation.Status.OPEN).first()
    if chat:
        with transaction.atomic():
            joining.join(call, chat, method="yes", sentence=_("The caller said yes to carrying on with the web chat."))


def welcome(call: Interaction) -> None:
    """Writes that the call goes on where the chat is, naming what it is about only to a party that holds the chat.

    Others are asked again what the AI agent needs, so they hear that, and how a code spares them that.
    """
    call = Interaction.objects.select_related("conversation__reason", "entry_point").get(pk=call.pk)
    # The chat may be in another language than the call was until now.
    with override(call.language):
        _say_welcome(call)


def _say_welcome(call: Interaction) -> None:
    reason = call.conversation.reason
    held = set(lines_of_party(call).filter(channel="chat").values_list("conversation", flat=True))
    if not held:
        text = _(
            "Thank you. I have our chat here. Your number alone does not show me that it is you: key in the code that "
            "“%(button)s” shows in the chat, and I ask nothing again. Or tell me how I can help."
        )
        text %= {"button": _("Continue by phone")}
    # With a person who had the call already, it stayed in a conversation that may be about something else.
    elif reason and call.conversation_id in held:
        text = _("Thank you. I have our chat about “%(reason)s” here, so you need not repeat anything. How can I help now?")
        text %= {"reason": call.entry_point.playbook.name_in(call.language, reason.name)}
    else:
        text = _("Thank you. I have our chat here, so you need not repeat anything. How can I help now?")
    _say(call, text, source_id=f"welcome:{call.provider_id}:{call.conversation_id}:{'held' if held else 'shown'}")


def _silence(call: Interaction, given: CallInput) -> Ncco:
    conversation = call.conversation
    if absence.is_nobody_in(call):
        return replies.aside(call, absence.kept())
    is_left = absence.is_left_alone(call)
    if conversation.owner_agent and not is_left:
        name = conversation.owner_agent.display_name
        return replies.aside(call, _("%(name)s is still with you. One moment, please.") % {"name": name})
    if replies.waits_for_person(conversation) and not is_left:
        return replies.aside(call, _("Thank you for waiting. A person will be with you as soon as possible."))
    if replies.owes_a_reply(conversation):
        return replies.aside(call, _("I am still looking into that. One moment, please."))
    if moments := int(call.data.get("moments", 0)):
        _remember(call, moments=moments - 1)
        return replies.while_they_look(call)
    silences = int(call.data.get("silences", 0)) + 1
    _remember(call, silences=silences)
    if given.is_failure and silences < 3:
        return replies.aside(call, _("Sorry, I did not catch that. Please say it again."))
    asked = spoken.last_question(_said_last(call)) if silences <= MOST_SAID_AGAIN and not is_left else ""
    if asked:
        return replies.aside(call, f"{_('Sorry, I did not hear anything.')} {asked}")
    if silences == 1:
        return replies.aside(call, _("Sorry, I did not hear anything. Please tell me how I can help."))
    if silences == 2:
        return replies.aside(call, _("I still cannot hear you. Please say in a few words what it is about."))
    if silences == 3:
        return replies.aside(call, _("To speak to a person, press zero. Or tell me how I can help."))
    return ncco.goodbye(
        _("I cannot hear you, so I will end the call now. Please call again whenever you like. Goodbye."),
        language=call.language,
    )


def _said_last(call: Interaction) -> str:
    """What the AI agent said last on this call."""
    said = Entry.objects.filter(interaction=call, kind="message", actor_kind="assistant").order_by("-seq")
    return said.values_list("body", flat=True).first() or ""


def _keys_id(given: CallInput) -> str:
    return f"{given.source_id}:keys"


def _say(call: Interaction, text: str, *, source_id: str) -> None:
    company = EntryPoint.objects.values_list("company_name", flat=True).get(pk=call.entry_point_id)
    timeline.append(
        call.conversation_id,
        NewEntry(
            kind="message",
            actor_kind="assistant",
            actor_name=company,
            body=text,
            interaction=call,
            source_id=source_id,
            data={"spoken": True},
        ),
    )


def note_words(call: Interaction, given: CallInput, text: str) -> None:
    """Keeps words that the call itself answers: they want no turn."""
    best = given.hypotheses[0]
    timeline.append(
        call.conversation_id,
        NewEntry(
            kind="message",
            actor_kind="customer",
            body=text,
            interaction=call,
            occurred_at=given.at,
            source_id=given.source_id,
            data={"spoken": True, "confidence": best.confidence},
        ),
    )


def _remember(call: Interaction, **changes: Any) -> None:
    """Only what is new is written: most turns of a call change nothing of this, and one webhook of a call is worked on at a time."""
    if any(name not in call.data or call.data[name] != value for name, value in changes.items()):
        call.data = call_state.change_data(call.pk, lambda data: data.update(changes)).data
