"""What a short utterance does in a conversation, whatever it is about: ask, thank, stop, start over, choose."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from conversations.assistant import questions
from conversations.understanding import danger
from conversations.understanding.normalise import meaning
from conversations.understanding.read import Understanding
from conversations.understanding.tone import wants_person

ASKS_WHETHER_IT_IS: Final = re.compile(r"(?:(?:and|so|but|ok|okay),? )*(?:is|was|does|do|will|would|isn't|wasn't) (?:it|that|this|there)\b")
"""“Is it forty five pounds?” tells no amount."""
WHEN_TO_COME: Final = (
    r"\b(?:how soon|earliest|soonest|when|what day|what time)\b(?: \w+){0,3}?"
    r" (?:you|they|someone|somebody|an? (?:engineer|plumber|technician))"
    r" (?:can|could|would be able to) (?:come|pop|be (?:here|there|with us)|get (?:here|to (?:us|me)|someone|somebody))\b"
    r"|\bhow soon (?:can|could) (?:i|we) (?:get|have) (?:someone|somebody|an? (?:engineer|plumber|technician))\b"
)
REQUEST: Final = re.compile(
    r"\b(?:can|could|would|may) (?:you|i|we|someone|somebody)\b"
    r"(?! (?:also |still |just )?pay\b(?!.*(?:\d|\w{3,}day\b|tomorrow|week|month)))"
    rf"|\b(?:are|is|would) (?:you|someone|somebody|(?:the|your) \w+)(?: be)? able to\b"
    rf"|\bi(?:'d| would)? (?:like|want|need)\b|\bplease\b|{WHEN_TO_COME}"
)
RESTART: Final = re.compile(r"\b(?:start (?:over|again|from scratch)|begin again|restart|from the (?:start|beginning))\b")
_WISHES_TO: Final = (
    r"(?:(?:i(?:'d| would)? (?:want|need|like|have) to|i wanna|i'd rather|(?:can|could) (?:you|i|we)|let's|let me)(?: just| please)? )?"
)
_DROPS: Final = (
    rf"(?:{_WISHES_TO}(?:cancel|call off|scrap)(?: that| this| it| everything| the whole thing)?"
    r"|stop(?: it| that| this)?|never ?mind|forget (?:it|that|about it)|leave it|quit"
    r"|(?:don't|do not) (?:bother|worry about (?:it|that|this))|i(?:'ve| have) changed my mind"
    r"|(?:my \w+|a (?:friend|neighbour|mate)|someone else)(?:'ll| will| can| is going to) (?:just )?(?:do|fix|sort) (?:it|this|that)"
    r"|i(?:'ll| will) (?:just )?(?:(?:do|fix|sort) (?:it|this|that)(?: out)? myself|leave (?:it|that)|think about it)"
    r"|i (?:don't|do not) (?:want|need) (?:it|that|this|one|a visit) (?:now|any ?more|after all))"
)
DROP: Final = re.compile(
    rf"(?:(?:no|please|ok|okay|actually|oh|well|sorry|thanks|no thanks|now|and|but|so|then|wait|hang on),? )*"
    rf"{_DROPS}(?:[,.]? (?:and |but )?(?:just )?{_DROPS})?"
    r"(?:,? (?:please|thanks|thank you|then))*"
)
_NOT_THAT: Final = (
    r"i (?:don't|do not) (?:want|need) (?:a|an|any|the) "
    r"(?:call(?: ?back)?|visit|appointment|engineer|plumber|technician|booking|ticket|link)"
    r"(?: at all| any ?more| now| then| after all)?"
)
DROPS_FIRST: Final = re.compile(
    rf"(?:(?:no|please|ok|okay|actually|oh|well|sorry|thanks|no thanks|wait|hm+),? )*(?P<dropped>{_DROPS}|{_NOT_THAT})"
    r"(?:,? (?:please|thanks|thank you|then))?(?:[,.;:!]+ ?| (?=and |but |just |i just |can you |could you |tell me ))"
    r"(?:(?:and|but|then|ok|okay|so|i just want|i just need|just)[, ]+)*(?P<rest>.+)"
)
"""Something is dropped, and something else wanted in the same breath: “never mind, just the price of a tap”."""
_AGAIN: Final = (
    r"(?:pardon(?: me)?|what(?: was that| did you(?: just)? say| was the question)?|come again|say (?:that|it) again"
    r"|repeat (?:that|it|please)"
    r"|(?:can|could|would) you (?:please )?(?:say (?:that|it|what you said)|repeat(?: (?:that|it|the question|what you said))?)"
    r"(?: again| once more)?|once more"
    r"|i can(?:'?t|not| not) (?:hear|understand) (?:you|that|a (?:word|thing))(?: (?:very |so )?(?:well|clearly|properly))?"
    r"|i (?:did not|didn't|could not|couldn't) (?:hear|catch|get) (?:that|you|it|what you said))(?: please| again| sorry)?"
)
_AGAIN_LEAD: Final = r"(?:(?:sorry|excuse me|hold on|i beg your|wait)[,?]? )?"
REPEAT: Final = re.compile(rf"(?:sorry|eh|huh|what)|{_AGAIN_LEAD}{_AGAIN}(?:[,.;]? (?:please )?{_AGAIN})?")
REPEAT_TIMES: Final = re.compile(
    rf"{_AGAIN_LEAD}(?:please )?(?:(?:can|could|would|will) you (?:please )?)?(?:repeat|say|read|tell me) (?:me )?(?:again )?"
    r"(?:the |those |these )?(?:free |available |possible )?(?:times|options|days|dates|slots|choices|hours)"
    r"(?: (?:again|once more|please|for me|to me|you (?:named|said|offered)))*"
)
"""Asked of times that were named: they are named once more."""
EH: Final = re.compile(r"(?:eh|huh)")
"""Heard as a filler when it is in a sentence; alone, somebody has not understood."""
WANTS_VISIT: Final = re.compile(
    r"\b(?:book|schedule|arrange|make|need|want|like|get|send|request|have)\b(?: \w+){0,4}?"
    r" (?:visit|appointment|engineer|plumber|technician|repairs?|call-?out|someone round|somebody round)\b(?! (?:late|rude|is|was|has|did))"
    r"|\b(?:book|fit|squeeze) (?:me|us) in\b|\bput (?:me|us) down for\b"
)
BOOKS: Final = re.compile(r"\b(?:book|arrange|schedule|reserve)\b")
COMES: Final = re.compile(
    rf"{WHEN_TO_COME}"
    r"|\b(?:can|could|would|will) (?:you|they|someone|somebody|an? (?:engineer|plumber|technician)|your (?:engineer|plumber|man))"
    r"(?: please)? (?:come|pop)\b"
    r"|\b(?:want|need|like|have|get) (?:someone|somebody|an? (?:engineer|plumber|technician))"
    r" (?:round|out|over|here|to (?:come|look|have a look|see|fix|check|repair)|on|for|by|at|today|tomorrow|tonight|this|next|as soon"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b(?! (?:the )?(?:phone|line))"
)
LOOKED_AT: Final = re.compile(
    r"\b(?:(?:have|get|having|getting)\b(?: \w+){1,3} looked at|(?:look|looks) at (?:it|this|that)|(?:have|take|has|takes) a look)\b"
)
THANKS: Final = re.compile(r"\b(?:thanks|thank you|thankyou|cheers|much appreciated)\b")
ONLY_THANKS: Final = re.compile(
    r"(?:(?:ok|okay|oh|right|alright|great|lovely|perfect|brilliant)[,!]? )?"
    r"(?:(?:many )?thanks|thank you|thankyou|cheers)(?: (?:a lot|so much|very much))?"
)
BYE: Final = re.compile(r"\b(?:bye|goodbye|that(?:'s| is) all|that(?:'s| is) everything|nothing else|see you|have a (?:nice|good) day)\b")
YES_AND: Final = re.compile(r"^(?:yes|yeah|yep|yup|sure)\b(?!.*\b(?:book|instead)\b)")
FAREWELL: Final = re.compile(r"\b(?:bye|goodbye|good night|see (?:you|ya)|cya|cheerio)\b")
_HELLO: Final = r"(?:hi|hello|hey|hiya|good (?:morning|afternoon|evening))(?: there| again)?"
GREETING: Final = re.compile(rf"{_HELLO}(?:[,.!]* {_HELLO})?")
CALLS_OUT: Final = re.compile(
    rf"(?:{_HELLO}[,.!?]* )?(?:(?:is )?(?:anyone|anybody|someone|somebody) there|are you (?:there|still there)"
    r"|(?:please )?help(?: me)?(?: please)?|i (?:just )?need (?:some |a bit of )?help(?: please)?|(?:can|could) you help(?: me)?"
    r"|(?:i have|i've got|i have got|there is|there's) a (?:problem|question|query|issue)|(?:a )?(?:problem|question))(?: please)?"
)
NODS: Final = re.compile(
    r"(?:lol|ha(?:ha)+|hmm+|hm|oh|ah|aha|wow|cool|nice|i see|got it|understood|makes sense|fair enough|good to know)(?: ok(?:ay)?)?"
)
AI: Final = re.compile(
    r"\b(?:are you|am i (?:talking|speaking|chatting) (?:to|with)) (?:an? )?(?:real )?(?:robot|bot|machine|computer|ai|human|person)\b"
    r"|^(?:(?:um|uh|hi|hello|hey|so|and|but|sorry|wait)[,!]? )*"
    r"is (?:this|that|it) (?:an? )?(?:real |actual )?(?:robot|bot|machine|computer|ai|human|person)\b"
    r"|^(?:so |and |ok )?(?:you're|you are) (?:just |only |really )?(?:an? )?(?:robot|bot|machine|computer|ai)\b"
    r"|^(?:(?:hi|hello|hey|and|so|but)[,!]? )?(?:(?:who|what) are you\b(?! (?:going|doing|open|charging|sending))"
    r"|who am i (?:talking|speaking|chatting) (?:to|with)\b|(?:what is|what's) your name\b)"
)
_GREETED: Final = rf"(?:{_HELLO}[,.!]* ){{0,2}}(?:and )?"
HOW_ARE_YOU: Final = re.compile(
    rf"{_GREETED}(?:how are (?:you|things)(?: (?:doing|today|doing today|keeping))?|(?:how is|how's) (?:it going|everything|life|your day)"
    r"|what's up|whats up|are you (?:well|ok|okay|having a (?:nice|good) day|enjoying your day)|how do you do)(?: today)?"
)
ENTERTAIN: Final = re.compile(
    rf"{_GREETED}(?:please )?(?:(?:can|could|would|will) you )?(?:please )?(?:tell|sing|write|play|make|do you know|do you have|know)"
    r"(?: (?:me|us))?(?: (?:a|an|any|some|another))?(?: (?:good|funny|nice|short))? (?:jokes?|songs?|poems?|music|story|stories|laugh)"
    r"(?: about .{1,40})?(?:,? please)?"
)
ABOUT_THE_AGENT: Final = re.compile(
    r"(?:what's|what is|how's|how is) the weather(?: like)?(?: today| there)?"
    r"|(?:are you|do you) (?:married|single|happy|hungry|tired|bored|sleep|dream"
    r"|have (?:a )?(?:family|wife|husband|kids|children|feelings))"
    r"|how old are you|(?:where are you from|where do you live)|do you like (?:music|football|tea|coffee|your job|it here)"
    r"|(?:it is |it's |what )?(?:a )?(?:nice|lovely|beautiful|terrible|awful|horrible|miserable|cold|hot) (?:weather|day)"
    r"(?: today| outside)?"
    r"(?:,? (?:isn't it|is it not|innit))?"
)
COMPLIMENT: Final = re.compile(
    rf"{_GREETED}(?:(?:it is |it's )?(?:nice|good|pleased|lovely|great) to (?:meet|talk to|speak to) you"
    r"|(?:you are|you're) (?:so |very |really )?(?:nice|great|kind|helpful|funny|clever|smart|lovely|the best|awesome|amazing)"
    r"|(?:good|great|nice) (?:job|work|bot|robot)|well done|i (?:love|like) you)"
)
ASKS_TO_KNOW: Final = re.compile(
    r"^(?:please )?(?:tell me (?:what|whats|when|where|which|who|why|how|if|whether|about)\b"
    r"|i(?:'d| would)? (?:want|like|need|wonder) ?(?:to (?:know|ask))?\b (?:what|when|where|which|who|why|how|if|whether)\b)"
)
LEADS_TO_A_QUESTION: Final = re.compile(
    r"^(?:(?:i do(?:n't| not) want (?:a |any )?\w+,? )?(?:just |please |ok |and )*)"
    r"(?:(?:can|could|would|will) you (?:please )?)?(?:tell|explain to) me (?=(?:what|when|where|which|who|why|how|about)\b)",
    re.IGNORECASE,
)
CAN_COME: Final = re.compile(r"\b(?:you|someone|somebody|(?:an?|the) (?:engineer|plumber)) can\b")
MOVE: Final = re.compile(r"\b(?:change|move|reschedul\w*|rebook|(?:different|another|other|later|earlier) (?:day|time|date)|instead)\b")
CORRECTS: Final = re.compile(r"^(?:no|oh|sorry|actually|wait|make (?:it|that))\b")
CHANGES_PLACE: Final = re.compile(
    r"\b(?:change|correct|update|make|put)\b.{0,12}\b(?:add?ress|post ?code|street|house number|it|that)\b"
)
PUTS_RIGHT: Final = re.compile(r"\b(?:no|not|sorry|actually|instead|rather|wait|mean|meant|moved|from)\b")
GIVE_UP: Final = re.compile(r"\b(?:cancel|call (?:it )?off|do(?:n't| not) (?:want|need) (?:the|my) (?:visit|appointment|booking))\b")
GIVES_IT_UP: Final = re.compile(r"\b(?:cancel|call (?:it )?off|do(?:n't| not) (?:want|need))\b")
NOT_GIVE_UP: Final = re.compile(r"\b(?:don't|do not|not|never|instead of|rather than)\b[^,.;]*\b(?:cancel|call)")
OWN_VISIT: Final = re.compile(
    r"\b(?:(?:what|which|when) (?:did|have) i(?: just)? book(?:ed)?"
    r"|(?:when|what (?:time|day|date)|which day) (?:is|was|are)(?: \w+){0,2} (?:visit|appointment|booking|slot)"
    r"|(?:when|what (?:time|day|date)|which day) (?:my|the|our) (?:visit|appointment|booking|slot) (?:is|was|will be))\b"
)
OTHER_VISIT: Final = re.compile(r"\b(?:my|the) (?:\w+ )?(?:visit|appointment|booking)\b")
VISIT: Final = re.compile(r"\b(?:visit|appointment|booking|it|that|slot|engineer|plumber)\b")
WHAT_I_TOLD: Final = re.compile(
    r"\b(?:what|which) (?:(?:phone |telephone |mobile )?(?P<phone>number)|(?P<postcode>postcode|post code)|(?P<name>name)"
    r"|(?P<email>e-?mail)|(?P<address>address)|(?P<date>day|date)|(?P<time_window>time))(?: address)?"
    r" (?:did|have) i (?:just )?(?:give|given|gave|tell|told|say|said|mention|mentioned|leave|left|put)\b"
)
IN_WRITING: Final = re.compile(
    r"\b(?:text|send|message)(?: me)? (?:a|the|that) (?:\w+ )?link\b"
    r"|\b(?:text (?:it to )?me|send me an? (?:sms|text)(?: message)?)(?: instead| please)?$"
    r"|\bi(?:'d| would) (?:rather|prefer to) (?:type|write|text|chat)\b|\bi(?:'d| would) like to (?:type|write)\b"
    r"|\b(?:can|could|may) (?:i|we) (?:type|write|text)\b"
    r"|\b(?:carry|go) on (?:in writing|(?:in|by|on) (?:the |your )?(?:web )?chat)\b"
    r"|\b(?:switch|move|change)(?: this| over)? to (?:the |your )?(?:web )?chat\b"
)
_CODE: Final = (
    "me|it|that|this|to|the|a|an|one|code|six|six-digit|digit|sms|text|message|there|over|through|by|on|my|phone|mobile|number|now|then"
)
SEND_CODE: Final = re.compile(
    rf"(?:(?:yes|yeah|yep|ok|okay|sure|fine|please|go ahead|and|just|then|do|you can|(?:can|could|would|will) you),? )*"
    rf"(?:send|text|message)(?: (?:{_CODE}|please|thanks|thank you))*"
)
CODE_AGAIN: Final = re.compile(
    r"\b(?:again|resend|another code|new code|did(?:n't| not) (?:get|come|arrive|receive)|nothing (?:came|arrived)"
    r"|no code (?:came|comes|yet|here|has|arrived|so far))\b|^no code$"
)
CALLS_US: Final = re.compile(
    r"\b(?:call|ring|phone) (?:me|us)\b|\bcall ?back\b|\bgive me a (?:call|ring)\b"
    r"|\b(?:have|get|want|like|need|arrange|schedule|receive) (?:a|another) (?:phone ?)?call\b(?! ?-?outs?\b)"
)
SKIP: Final = re.compile(
    r"skip(?: it| that| this)?|none|not sure|no idea|pass|(?:i(?:'d| would) )?rather not(?: say)?|no|nope"
    r"|(?:no|nope|sorry)?,? ?(?:i )?(?:do(?:n'?t| not)|have(?:n'?t| not)|can(?:'?t|not)) (?:have|know|got|find|remember)"
    r"(?: (?:a|an|any|the|my|one|it|that|this|email|e-mail|address|reference|number|amount|to hand|on me|with me|sorry|right now))*"
    r"|no,? (?:i )?(?:do(?:n'?t| not)|have(?:n'?t| not))|(?:no|without an?) (?:email|e-mail|reference|number)(?: address| number)?"
)
DECLINES: Final = re.compile(
    r"(?:(?:no|sorry|ok|well|but|look)[,.]? )*(?:i (?:said|told you) no|no+|nope|no (?:way|thanks|thank you)|never"
    r"|i(?:'d| would)? (?:really )?(?:(?:do ?n[o']?t|won'?t|will not|am not|can'?t|cannot|refuse|prefer not|rather not)"
    r"(?: (?:want|like|wish|going|happy|comfortable|willing))?(?: (?:to|with))?)"
    r"(?: (?:give|giving|tell|telling|say|saying|share|sharing|provide|send|leave)(?: you)?.*)?"
    r"|i'm not (?:giving|telling|sharing|saying|going to (?:give|tell|say)).*"
    r"|(?:that's|that is|it's) (?:private|personal)|(?:that's )?none of your business|mind your own business"
    r"|you (?:do not|don'?t) need (?:that|my .*|it|to know.*))"
)
"""Somebody does not want to tell what was asked for."""
SEVERAL: Final = re.compile(
    r"(?:(?:yes|yeah|ok|okay|please|can you|could you|i(?:'d| would) like|i(?:'ll| will) (?:take|have)|i want"
    r"|book|do|reserve|take|me|for|let's|lets|then|so|and|can we|could we|have|i need),? )*"
    r"(?:them )?(?:both|all(?: of them| three)?|the two)(?: of (?:them|those))?(?:,? (?:please|thanks|thank you|of them|then))*"
)
IDENTIFYING: Final = "identify"
"""The action of a place in the dialogue while who the party is, is being found out."""
LONGEST_ACT: Final = 80
MOST_WORDS_OF_AN_ANSWER: Final = 6


def plain(text: str) -> str:
    """Small letters, single spaces, no punctuation at the ends."""
    return " ".join(text.lower().replace("’", "'").split()).strip(" .,!?;:")


def is_question(text: str) -> bool:
    """Whether the text asks something, by its mark, its first words or those of its last part."""
    words = plain(text)
    begins, ends = questions.AT_THE_BEGINNING.match(words), questions.AT_THE_END.search(words)
    return text.rstrip().endswith("?") or begins is not None or ends is not None


def wants_to_know(text: str) -> bool:
    """Whether the text asks something, also in the form of a wish: “tell me whether you also fit stoves”."""
    return is_question(text) or ASKS_TO_KNOW.search(plain(text)) is not None


def question_alone(text: str) -> str:
    """A text without the words that only lead to its question, “tell me what E119 means”; what is done in an emergency is a call-out."""
    return danger.with_call_outs(LEADS_TO_A_QUESTION.sub("", text.strip()))


def wants_several(text: str) -> bool:
    """“Both, please”, “book all of them”: every one of what was named."""
    return is_short(text, SEVERAL)


def has_code_sent(text: str) -> bool:
    """Whether a short text says that a code be sent, and nothing of where: “yes, text it to me please”."""
    return is_short(text, SEND_CODE)


def wants_code_again(text: str) -> bool:
    """Whether a text says that a code did not come, or asks for another one."""
    return CODE_AGAIN.search(plain(text)) is not None


def about_a_code(understood: Understanding, state: Mapping[str, Any]) -> Understanding:
    """What words mean while who this is, is being found out; others come back as they are.

    What only sounds like a wish for a person asks for none, “text it to me” is a yes, and that no code came is about the code.
    """
    if state.get("action") != IDENTIFYING:
        return understood
    if understood.asked_for_human and not wants_person(meaning(understood.gloss)):
        understood = replace(understood, asked_for_human=False, reason=None)
    if state.get("offered_to") and has_code_sent(understood.gloss):
        return replace(understood, affirmative=True, reason=None)
    if state.get("step") == "code" and wants_code_again(understood.gloss):
        return replace(understood, reason=None)
    return understood


def told_fact_asked(text: str) -> str:
    """The name of the fact that a short text asks about as told before: “what number did I give you?”; empty when it does not."""
    words = plain(text)
    found = WHAT_I_TOLD.search(words) if len(words) <= LONGEST_ACT else None
    return str(found.lastgroup or "") if found else ""


def is_small_talk(text: str) -> bool:
    """Whether the text is nothing but what people say to be friendly, beyond a greeting and thanks."""
    return any(is_short(text, pattern) for pattern in (HOW_ARE_YOU, ENTERTAIN, ABOUT_THE_AGENT, COMPLIMENT))


def is_request(text: str) -> bool:
    """Whether the text asks for something to be done, rather than to be told something."""
    return REQUEST.search(plain(text)) is not None


def asks_only(text: str) -> bool:
    """Whether the text asks to be told something, and for nothing to be done."""
    return (is_question(text) and not is_request(text)) or wishes_to_know(text)


def wishes_to_know(text: str) -> bool:
    """Whether the text is a wish to be told something, and for nothing to be done: “I want to know whether you fit stoves”."""
    words = plain(text)
    found = ASKS_TO_KNOW.search(words)
    rest = words[found.end() :] if found else ""
    return found is not None and not is_request(rest) and CAN_COME.search(rest) is None


def wants_visit(text: str) -> bool:
    """Whether a short text asks for a visit and says nothing of what it is for: “book a repair”, “can they come on Friday?”."""
    words = plain(text)
    is_change = MOVE.search(words) or GIVE_UP.search(words)
    if len(words) > LONGEST_ACT or is_change:
        return False
    return COMES.search(words) is not None or (WANTS_VISIT.search(words) is not None and not asks_only(text))


def changes_place(text: str) -> bool:
    """Whether a text puts a place where another was told: “change the address to …”, “make it HB1 4QT”."""
    return CHANGES_PLACE.search(plain(text)) is not None


def asks_to_come(text: str) -> bool:
    """Whether a short text asks that somebody comes, whatever it is about: “it keeps losing pressure, can someone come tomorrow”."""
    words = plain(text)
    return len(words) <= LONGEST_ACT and COMES.search(words) is not None and CALLS_US.search(words) is None


def means_the_visit(text: str) -> bool:
    """Whether words that drop something say that it is the visit: “cancel it”, “I don't want it any more”."""
    return GIVES_IT_UP.search(plain(text)) is not None


def speaks_of_coming(text: str) -> bool:
    """Whether somebody should come and look, as far as the words tell, however many they are: “I should have it looked at”."""
    words = plain(text)
    return LOOKED_AT.search(words) is not None or COMES.search(words) is not None


def is_short(text: str, pattern: re.Pattern[str]) -> bool:
    """Whether a short text is nothing but what the pattern says."""
    words = plain(text)
    return len(words) <= LONGEST_ACT and pattern.fullmatch(words) is not None


def is_brief_mention(text: str, pattern: re.Pattern[str], most_words: int = 8) -> bool:
    """Whether a text of few words contains the pattern and asks nothing."""
    words = plain(text)
    return len(words.split()) <= most_words and not is_question(text) and pattern.search(words) is not None


def wants_to_start_over(text: str) -> bool:
    """“Start over”, “let us begin again”."""
    return is_brief_mention(text, RESTART)


def leading_answer(text: str) -> bool | None:
    """Yes or no by the first word alone (“no, keep it”), for a question that takes nothing else."""
    first = plain(text).split(" ")[0].strip(",.")
    return True if first in {"yes", "yeah", "yep", "ok", "okay", "sure"} else False if first in {"no", "nope", "nah", "keep"} else None


def is_bare_answer(text: str) -> bool:
    """Whether a text that is a yes or a no says nothing besides: “no thanks”, but not “no thanks, I want to know when you come”."""
    return len(plain(text).split()) <= MOST_WORDS_OF_AN_ANSWER and not text.rstrip().endswith("?")


def drops_it(text: str) -> bool:
    """“Never mind”, “cancel that”: nothing but a wish to stop what is going on."""
    return is_short(text, DROP)


def after_dropping(text: str, action: str) -> str:
    """What else is wanted by a text that first drops what is going on, whose `action` it is; empty when it does not, or wants nothing else.

    While a visit is moved or given up, “cancel it, …” is about the visit, and not about that.
    """
    said = " ".join(text.replace("’", "'").split())
    small = said.lower()
    found = DROPS_FIRST.fullmatch(small)
    if found is None or (action in ("cancel", "reschedule") and means_the_visit(found["dropped"])):
        return ""
    if len(found["rest"].split()) <= 1:
        return ""
    # A letter whose small form has another length would move the place.
    rest = (said if len(said) == len(small) else small)[found.start("rest") :]
    return "" if is_short(rest, DROP) or is_brief_mention(rest, THANKS, 4) or is_brief_mention(rest, BYE, 4) else rest


def gives_up_visit(text: str) -> bool:
    """“No wait, cancel it”, “cancel the visit instead”, said while the visit is being moved; “cancel that” stops the move."""
    words = plain(text)
    if len(words) > LONGEST_ACT or (drops_it(text) and "it" not in words.replace(",", " ").split()):
        return False
    wished = GIVE_UP.search(words) and VISIT.search(words) and not NOT_GIVE_UP.search(words)
    return bool(wished) and (not is_question(text) or "instead" in words)
