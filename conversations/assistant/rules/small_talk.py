"""What people say to be friendly, or since they did not hear, answered in a sentence; what was going on goes on."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _

from conversations.assistant import acts, own_record, pauses, pleasantries
from conversations.assistant.account_facts import NOT_SAID
from conversations.assistant.brain import Reply
from conversations.assistant.rules.dialogue import Dialogue, label_of
from conversations.models.identifier import Assurance
from conversations.services import facts
from conversations.understanding import needs

MOST_WORDS_OF_NO: Final = 8


def answered(dialogue: Dialogue, *, busy: bool) -> bool:
    """Answers a question for who this is, for what they told, and small talk beyond greeting and thanks; says whether it was any.

    When nothing is going on (`busy`), what can be done is asked as well.
    """
    text = dialogue.context.words
    if asked := acts.told_fact_asked(text):
        dialogue.say(_what_was_told(dialogue, asked))
        return True
    held = own_record.held_fact_asked(acts.plain(text))
    if held and dialogue.context.assurance == Assurance.VERIFIED:
        dialogue.say(_what_is_held(dialogue, held))
        return True
    if acts.AI.search(acts.plain(text)):
        dialogue.say(_("I am an AI assistant of %(company)s, not a person.") % {"company": dialogue.context.company})
        dialogue.say(_("You can ask for a person at any time."))
        return True
    if _thanks_in_a_form(dialogue):
        dialogue.say(_("You are welcome."))
        return True
    if pleasantries.asks_whether_heard(text):
        dialogue.say(_("Yes, I can hear you.") if dialogue.context.spoken else _("Yes, I am here."))
        if not busy:
            dialogue.say(_("What can I do for you?"))
        return True
    if pleasantries.praises(text):
        dialogue.say(_("Thank you, that is good to hear. I keep it with this conversation, where my colleagues read it."))
        return True
    if not acts.is_small_talk(text):
        return False
    if acts.is_short(text, acts.HOW_ARE_YOU):
        dialogue.say(_("Very well, thank you for asking."))
    elif acts.is_short(text, acts.ENTERTAIN) or acts.is_short(text, acts.ABOUT_THE_AGENT):
        dialogue.say(_("I am afraid I am better at helping than at that."))
    else:
        dialogue.say(_("Thank you, that is kind of you."))
    if not busy:
        dialogue.say(_("What can I do for you?"))
    return True


def _thanks_in_a_form(dialogue: Dialogue) -> bool:
    """Whether thanks are all that is said where a form waits for something else than yes or no, which they might mean."""
    waits = bool(dialogue.form) and dialogue.state.get("step") in (None, "", "collect", "choose") and not dialogue.state.get("offer")
    return waits and acts.is_short(dialogue.context.words, acts.ONLY_THANKS)


def _what_was_told(dialogue: Dialogue, asked: str) -> str:
    """What this party told of a fact in this conversation, and nothing that the record knows beside it."""
    context = dialogue.context
    label = label_of(asked).lower()
    if asked not in context.told_facts or not context.value(asked):
        return _("You have not told me that yet: the %(fact)s.") % {"fact": label}
    return _("You told me: %(facts)s.") % {"facts": f"{label} {facts.written(asked, context.value(asked))}"}


def _what_is_held(dialogue: Dialogue, asked: str) -> str:
    """What the account of who has proven whose it is says of a fact, or what they told of it here."""
    context, label = dialogue.context, label_of(asked).lower()
    if not context.value(asked):
        return _("Your account does not say: the %(fact)s.") % {"fact": label}
    if context.facts[asked].seq != NOT_SAID:
        return _what_was_told(dialogue, asked)
    told = _("Your account says: %(facts)s.") % {"facts": f"{label} {facts.written(asked, context.value(asked))}"}
    return f"{told} {_('If that has changed, tell me the new one.')}"


def beginning(dialogue: Dialogue) -> str:
    """What is said again to who did not hear the greeting, which is no answer of the AI agent's."""
    who = _("I am an AI assistant of %(company)s, not a person.") % {"company": dialogue.context.company}
    return f"{who} {_('What can I do for you?')}"


def say_again(dialogue: Dialogue, said: str) -> Reply:
    """The last words once more; whatever was asked stays asked, and nothing counts as misunderstood."""
    dialogue.say(said)
    if dialogue.state.get("offer"):
        dialogue.suggest_yes_or_no()
    asked = str(dialogue.state.get("asked") or "")
    if asked and dialogue.form:
        dialogue.note_asked(asked)
    return dialogue.reply()


def _wants_nothing(text: str) -> bool:
    """Whether a few words say what is not wanted, and nothing else: “no, I don't want to book”, and no “but how much is it”."""
    words = acts.plain(text).split()
    return needs.is_denied(text) and len(words) <= MOST_WORDS_OF_NO and "but" not in words and not acts.wants_to_know(text)


def in_the_middle_of_nothing(dialogue: Dialogue) -> Reply | None:
    """Answers somebody who is in the middle of nothing and wants nothing yet; None when they do."""
    text = dialogue.context.words
    if pauses.thinks_about_it(text) or pauses.comes_back(text):
        dialogue.state.pop("offer", None)
        dialogue.say(_("Of course, there is no hurry. Write or call again whenever you like."))
        return dialogue.reply()
    if acts.is_short(text, acts.NODS) and not dialogue.state.get("offer"):
        dialogue.say(_("Is there anything else I can do?"))
        return dialogue.reply()
    if _wants_nothing(text) and not dialogue.done_here:
        dialogue.say(_("All right. What can I do for you?"))
        return dialogue.reply()
    if acts.is_short(text, acts.GREETING) or acts.is_short(text, acts.CALLS_OUT):
        dialogue.say(_("Hello. What can I do for you?"))
        return dialogue.reply()
    return None
