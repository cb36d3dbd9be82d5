"""Finding out who the customer is before anything of their record is told or changed: a code to where they say, and back.

What is said is the same whether or not there is a record of the address or number.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from conversations.assistant import acts, own_record, wording
from conversations.assistant.brain import HandOff, Reply, ToolResult
from conversations.assistant.rules import cannot
from conversations.assistant.rules.account import say_account
from conversations.assistant.rules.booking import MOST_MISSES, offer_person
from conversations.assistant.rules.dialogue import Dialogue, label_of
from conversations.assistant.tools import find_visits, show_account, verify_identity
from conversations.models.identifier import Assurance
from conversations.services import consent_texts, facts
from conversations.understanding.answers import facts_in
from conversations.understanding.names import find_name
from conversations.understanding.spelling import unknown_words

Then = Mapping[str, Callable[["Dialogue"], Awaitable[Reply | HandOff]]]
"""What follows, by its purpose, once it is known who this is."""
ACTION: Final = acts.IDENTIFYING
TOOL: Final = verify_identity.TOOL.name
ACCOUNT: Final = "account"
QUESTIONS: Final = {
    "name": _lazy("What is your full name?"),
    "postcode": _lazy("What is your postcode?"),
    "date_of_birth": _lazy("What is your date of birth?"),
    "order_number": _lazy("What is the reference of your last visit or order?"),
    "account_number": _lazy("What is your customer number?"),
}
FULL_NAME: Final = range(2, 5)
"""How many words are taken for a name where something else was asked for."""
MOST_LOST: Final = 2
WORDS_AROUND_AN_ADDRESS: Final = 6
CODE: Final = re.compile(r"(?:\D*\d){6}\D*")


async def wanted(dialogue: Dialogue) -> Reply | None:
    """Begins when the words ask for something of the customer's own record; None when they do not."""
    words = acts.plain(dialogue.context.words)
    changes = acts.GIVE_UP.search(words) or acts.MOVE.search(words)
    asks_who = own_record.WHO_AM_I.search(words) or own_record.WANTS_CODE.search(words)
    asks = (own_record.OWN_ACCOUNT.search(words) and not changes) or asks_who
    if len(words) > 3 * acts.LONGEST_ACT or not asks:
        return None
    return await begin(dialogue, ACCOUNT) if is_possible(dialogue) else None


def ask_again(dialogue: Dialogue) -> Reply | None:
    """More of the own record is asked for while who this is, is being found out: told afterwards, so that goes on. None otherwise."""
    state = dialogue.state
    if state.get("action") != ACTION:
        return None
    state["purpose"] = ACCOUNT
    dialogue.say(_("I can help with that once I know that it is you."))
    return go_back(dialogue)


def go_back(dialogue: Dialogue) -> Reply:
    """The question that stands is asked once more, after something in between."""
    step = dialogue.state.get("step")
    if step == "answers":
        dialogue.say(_question_for(str(dialogue.state["question"])))
        return dialogue.reply()
    if step != "code":
        return _ask_where(dialogue)
    dialogue.say(_("I am waiting for the six digits of the code. Say “new code” if it did not come."))
    return dialogue.reply()


def may_be_in_between(dialogue: Dialogue) -> bool:
    """Whether words that come while who this is, is being found out may be about something else."""
    waits_for_code, words = dialogue.state.get("step") == "code", dialogue.context.words
    about_it = dialogue.context.new_facts or cannot.is_stuck(words) or (waits_for_code and acts.wants_code_again(words))
    return dialogue.state.get("action") == ACTION and not about_it


def is_possible(dialogue: Dialogue) -> bool:
    """Whether the playbook lets the AI agent find out who somebody is."""
    return TOOL in dialogue.context.behaviour.tools


async def begin(dialogue: Dialogue, purpose: str, *, keep: Mapping[str, object] | None = None) -> Reply:
    """Starts to find out who the customer is, to go on with `purpose` afterwards. For `account`, a proven customer is told at once.

    `keep` is what the purpose has to remember until then.
    """
    dialogue.leave_form()
    words = acts.plain(dialogue.context.words)
    asks_more = purpose == ACCOUNT and own_record.OWED.search(words) and dialogue.context.assurance != Assurance.KNOWLEDGE
    wants_code = bool(own_record.WANTS_CODE.search(words) or asks_more)
    dialogue.state.update(keep or {}, action=ACTION, purpose=purpose, wants_code=wants_code)
    if purpose == ACCOUNT and (dialogue.context.assurance == Assurance.VERIFIED or _is_known_enough(dialogue)):
        return await _tell_account(dialogue)
    dialogue.say(_("I can help with that once I know that it is you."))
    return _ask_where(dialogue)


async def go_on(dialogue: Dialogue, then: Then) -> Reply | HandOff | None:
    """The next step; `then` maps a purpose to what follows once it is known who this is. None when nothing was begun."""
    state = dialogue.state
    if state.get("action") != ACTION:
        return None
    if dialogue.context.assurance == Assurance.VERIFIED or _is_known_enough(dialogue):
        return await _known(dialogue, then)
    refuses = state.get("step") == "where" and not state.get("offered_to") and dialogue.context.understanding.affirmative is False
    if cannot.goes_no_further(dialogue.context.words):
        dialogue.leave_form()
        return offer_person(dialogue, _("I am sorry, we do not get any further this way."))
    if (refuses or cannot.no_code(dialogue.context.words)) and state.get("step") != "answers":
        return await _without_code(dialogue)
    if state.get("step") == "answers":
        return await _answer_given(dialogue, then)
    if state.get("step") == "code":
        return await _code_given(dialogue, then)
    return await _place_given(dialogue, then)


def _is_known_enough(dialogue: Dialogue) -> bool:
    """Whether right answers open what this was begun for, and no code was asked for instead."""
    if dialogue.state.get("wants_code"):
        return False
    purpose = "find_visits" if dialogue.state.get("purpose") == ACCOUNT else str(dialogue.state.get("purpose"))
    return dialogue.context.assurance == Assurance.KNOWLEDGE and purpose in dialogue.context.behaviour.opens_with_answers


def _answers_help(dialogue: Dialogue) -> bool:
    """Whether right answers to questions would open what this is for. Where they would not, nobody is asked any."""
    state, behaviour = dialogue.state, dialogue.context.behaviour
    purpose = "find_visits" if state.get("purpose") == ACCOUNT else str(state.get("purpose"))
    return bool(behaviour.knowledge_check) and purpose in behaviour.opens_with_answers and not state.get("wants_code")


def _ask_where(dialogue: Dialogue) -> Reply:
    context, state = dialogue.context, dialogue.state
    state.update(step="where", offered_to="")
    # What is to become the new one is not on the record, so a code to it would show nothing.
    new = set((state.get("said") or {}).values()) if state.get("detail") else set()
    told = context.value("phone") if "phone" in context.told_facts else ""
    phone = told if told and told not in new else context.calls_from
    email = context.value("email") if "email" in context.told_facts else ""
    if context.spoken and phone:
        state["offered_to"] = phone
        dialogue.say(str(consent_texts.CODE_TO_NUMBER) % {"number": facts.phone(phone)})
        dialogue.suggest_yes_or_no()
        return dialogue.reply()
    dialogue.say(str(consent_texts.CODE_SOMEWHERE))
    known = [shown for value, shown in ((email, email), (phone, facts.phone(phone) if phone else "")) if value and value not in new]
    if known:
        dialogue.suggest(known)
    if not known and _answers_help(dialogue):
        dialogue.say(_("If no code can reach you, say so, and I ask you something instead."))
    elif not known and context.behaviour.knowledge_check:
        dialogue.say(_("Only a code opens that; if none can reach you, say so, and a colleague looks."))
    state["asked"] = "email" if not phone and not context.spoken else ""
    return dialogue.reply()


async def _place_given(dialogue: Dialogue, then: Then) -> Reply | HandOff:
    context, state = dialogue.context, dialogue.state
    said = {fact.name: fact.value for fact in context.understanding.facts}
    if detail := _new_detail(dialogue, said):
        state["said"] = {**(state.get("said") or {}), detail: said[detail]}
        new = {"detail": label_of(detail).lower(), "value": facts.written(detail, said[detail])}
        dialogue.say(_("Thank you, I have noted the new %(detail)s: %(value)s. The code has to go to what is on the record so far.") % new)
        return _ask_where(dialogue)
    to = said.get("email") or said.get("phone") or ""
    if not to and context.understanding.affirmative and state.get("offered_to"):
        to = str(state["offered_to"])
    if to:
        return await _send(dialogue, to)
    if context.understanding.affirmative is False and state.get("offered_to"):
        state["offered_to"] = ""
        dialogue.say(_("All right. Which email address or other number shall I use?"))
        return dialogue.reply()
    if told := _told_of_themselves(dialogue):
        return await _told_instead(dialogue, told, then)
    return _missed(dialogue, _("To send the code I need an email address or a phone number."))


def _new_detail(dialogue: Dialogue, said: Mapping[str, str]) -> str:
    """The detail that is to be changed, when its new value was told where an address for a code was asked for: “the new one is …”."""
    detail = str(dialogue.state.get("detail") or "")
    return detail if detail in said and own_record.IS_NEW.search(acts.plain(dialogue.context.words)) else ""


def _told_of_themselves(dialogue: Dialogue) -> dict[str, list[str]]:
    """What was told of who they are where an address for a code was asked: a name, a postcode, a reference."""
    context = dialogue.context
    if acts.is_question(context.words) or context.understanding.affirmative is not None:
        return {}
    found = {fact.name: [fact.value] for fact in context.understanding.facts if fact.name in QUESTIONS}
    name = None if found else find_name(context.text, expected=True)
    return {"name": [name[0]]} if name and _reads_like_one(name[0], context.text) else found


def _reads_like_one(name: str, said: str) -> bool:
    """Whether words where no name was asked for are one: written as names are, or with a word that is nothing else."""
    words = name.split()
    written = all(word[:1].isupper() for word in said.split())
    return len(words) in FULL_NAME and (written or bool(unknown_words(name.lower())))


async def _told_instead(dialogue: Dialogue, told: Mapping[str, list[str]], then: Then) -> Reply | HandOff:
    """The first answer to the questions, where those would open it; otherwise it is kept, and the address is asked for again."""
    asked = [fact for fact in told if fact in dialogue.context.behaviour.knowledge_check]
    if asked and _answers_help(dialogue):
        dialogue.state.update(step="answers", answers=dict(told), misses=0)
        dialogue.say(_("Thank you. Then I ask you a few questions instead of sending a code."))
        return await _ask_next(dialogue, dialogue.state["answers"], then)
    known = wording.listed([f"{label_of(fact).lower()} {facts.written(fact, values[0])}" for fact, values in told.items()])
    dialogue.say(_("Thank you, I have noted: %(facts)s.") % {"facts": known})
    dialogue.say(_("That alone does not show me who you are."))
    return _ask_where(dialogue)


async def _send(dialogue: Dialogue, to: str) -> Reply:
    result = await dialogue.tools.call(TOOL, {"to": to})
    if not result.worked:
        return _not_sent(dialogue, result)
    dialogue.state.update(step="code", to=to, asked="", misses=0)
    if result.result["way"] == "email":
        dialogue.say(_("A six-digit code is on its way to the email address you gave me; it is good for ten minutes."))
    else:
        dialogue.say(_("A six-digit code is on its way by text message; it is good for ten minutes."))
    dialogue.say(_("Please say it, or key it in.") if dialogue.context.spoken else _("Please type it here."))
    return dialogue.reply()


def _not_sent(dialogue: Dialogue, result: ToolResult) -> Reply:
    if result.error == "bad_address":
        return _missed(dialogue, _("I cannot send a code there."))
    dialogue.leave_form()
    return offer_person(dialogue, _("I am sorry, I cannot send a code now. %(why)s") % {"why": result.sentence})


async def _code_given(dialogue: Dialogue, then: Then) -> Reply | HandOff:
    context = dialogue.context
    said = {fact.name: fact.value for fact in context.understanding.facts if fact.name in ("email", "phone")}
    if CODE.fullmatch(context.text):
        return await _try(dialogue, then)
    if said:
        return await _send(dialogue, said.get("email") or said["phone"])
    if acts.wants_code_again(context.words):
        return await _send_again(dialogue)
    return _missed(dialogue, _("I am waiting for the six digits of the code. Say “new code” if it did not come."))


async def _send_again(dialogue: Dialogue) -> Reply | HandOff:
    """Another code to the same place; who says for the second time that none came is asked something else instead, or offered a person."""
    state = dialogue.state
    to, lost = str(state["to"]), int(state.get("lost", 0)) + int(cannot.did_not_come(dialogue.context.words))
    if lost >= MOST_LOST:
        return await _without_code(dialogue)
    state["lost"] = lost
    reply = await _send(dialogue, to)
    if lost and dialogue.state.get("step") == "code":
        dialogue.say(_("It goes to the same place; if it does not come either, tell me another number or email address."))
        return dialogue.reply()
    return reply


async def _try(dialogue: Dialogue, then: Then) -> Reply | HandOff:
    result = await dialogue.tools.call(TOOL, {"code": re.sub(r"\D", "", dialogue.context.words)})
    if result.worked and result.result["right"]:
        return await _known(dialogue, then)
    if result.worked and result.result["tries_left"]:
        left = int(result.result["tries_left"])
        more = ngettext("you have %(tries)d more try.", "you have %(tries)d more tries.", left) % {"tries": left}
        dialogue.say(_("That is not the code I sent. Please look again; %(more)s") % {"more": more})
        return dialogue.reply()
    dialogue.say(_("That code cannot be used any more. Say “new code”, and I send another one."))
    return dialogue.reply()


async def _without_code(dialogue: Dialogue) -> Reply | HandOff:
    """No code can reach them: questions, where the playbook lets answers prove something; otherwise a person is offered."""
    if not _answers_help(dialogue):
        dialogue.leave_form()
        return offer_person(dialogue, _("Without a code I cannot look that up, so I do not ask you anything else."))
    dialogue.state.update(step="answers", answers={}, misses=0)
    dialogue.say(_("Then I will ask you a few questions instead."))
    return await _ask_next(dialogue, {})


async def _answer_given(dialogue: Dialogue, then: Then) -> Reply | HandOff:
    state, known = dialogue.state, dict(dialogue.state.get("answers") or {})
    told = _told(dialogue, str(state.get("question", "")))
    if email := _email_told(dialogue):
        # Whoever gives an address where something else was asked can get a code after all.
        return await _send(dialogue, email)
    if not told.keys() - known.keys():
        # What was told before is told again, perhaps otherwise: it counts as it is now, and the question stands.
        state["misses"] = int(state.get("misses", 0)) + 1
    state["answers"] = {**known, **told}
    if int(state.get("misses", 0)) >= MOST_MISSES:
        dialogue.leave_form()
        return offer_person(dialogue, _("I am sorry, I could not confirm who you are that way."))
    return await _ask_next(dialogue, state["answers"], then)


def _email_told(dialogue: Dialogue) -> str:
    """The email address that is all that was told."""
    found = {fact.name: fact.value for fact in dialogue.context.understanding.facts}
    few = len(dialogue.context.words.split()) <= WORDS_AROUND_AN_ADDRESS
    return found.get("email", "") if few and not found.keys() & QUESTIONS.keys() else ""


def _told(dialogue: Dialogue, asked: str) -> dict[str, list[str]]:
    """The readings of the facts that were told, by the fact, likeliest first: the one that was asked for and others beside it."""
    context = dialogue.context
    languages = tuple(dict.fromkeys((context.language.partition("-")[0], "en")))
    told: dict[str, dict[str, None]] = {}
    # What came in several messages is read together, too.
    for said in dict.fromkeys((*([context.text] if not context.spoken else []), *context.hypotheses)):
        wanted = context.behaviour.knowledge_check
        for fact, reading in facts_in(said, asked, wanted, languages=languages, region=context.region).items():
            told.setdefault(fact, {})[reading] = None
    understood = context.value(asked) if asked in context.new_facts and (asked in told or not told) else ""
    if understood:
        told[asked] = {understood: None, **told.get(asked, {})}
    return {fact: list(readings) for fact, readings in told.items()}


async def _ask_next(
    dialogue: Dialogue, answers: Mapping[str, Any], then: Then | None = None
) -> Reply | HandOff:
    result = await dialogue.tools.call(TOOL, {"answers": dict(answers)})
    if result.worked and result.result["ask"]:
        fact = str(result.result["ask"])
        dialogue.state.update(question=fact, asked=fact)
        dialogue.say(_question_for(fact))
        return dialogue.reply()
    if result.worked and result.result["right"]:
        return await _known(dialogue, then or {})
    dialogue.leave_form()
    return offer_person(dialogue, _("I am sorry, I could not confirm who you are that way."))


def _question_for(fact: str) -> str:
    return str(QUESTIONS.get(fact) or _("What is your %(fact)s?") % {"fact": label_of(fact).lower()})


async def _known(dialogue: Dialogue, then: Then) -> Reply | HandOff:
    purpose = str(dialogue.state.get("purpose", ACCOUNT))
    dialogue.say(_("Thank you, that is confirmed."))
    return await then[purpose](dialogue) if purpose in then else await _tell_account(dialogue)


async def _tell_account(dialogue: Dialogue) -> Reply:
    result = await dialogue.tools.call(show_account.TOOL.name, {})
    if result.error == "not_proven":
        result = await dialogue.tools.call(find_visits.TOOL.name, {})
    dialogue.leave_form()
    if not result.worked:
        return offer_person(dialogue, _("I am sorry, I cannot look that up here."))
    say_account(dialogue, result)
    dialogue.say(_("Is there anything else I can do?"))
    return dialogue.reply()


async def tell_in_between(dialogue: Dialogue) -> bool:
    """Something of the own record is asked in the middle of a form: told to who has shown who they are; the form stays.

    Says whether it was told; otherwise that it has to wait.
    """
    verified = dialogue.context.assurance == Assurance.VERIFIED
    result = await dialogue.tools.call(show_account.TOOL.name, {}) if verified else None
    if result and result.worked:
        say_account(dialogue, result)
        return True
    dialogue.say(_("For that I first have to know that it is you."))
    return False


def _missed(dialogue: Dialogue, lead: str) -> Reply:
    state: dict[str, Any] = dialogue.state
    state["misses"] = int(state.get("misses", 0)) + 1
    if state["misses"] >= MOST_MISSES:
        dialogue.leave_form()
        return offer_person(dialogue, _("I am sorry, we do not get any further this way."))
    dialogue.say(lead)
    return dialogue.reply()
