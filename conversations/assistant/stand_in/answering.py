"""What the stand-in answers without a script: a few rules over the same request that a model would get, enough for a demonstration.

It reads the request as the product writes it (`model.prompt`): what was said and offered in <now>, what is known in <facts>. What is
to be written for staff is left to `writing`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from conversations.assistant.stand_in.scenes import Call, Scene, Text, calls
from conversations.assistant.stand_in.writing import WRITERS, write

TAGGED: Final = re.compile(r"<(now|facts)>(.*?)</\1>", re.DOTALL)
PERSON: Final = re.compile(r"\b(person|human|somebody|someone|agent|colleague|manager|persona|alguien|compañer[oa])\b")
PRICE: Final = re.compile(r"\b(price|prices|cost|costs|charge|how much|precios?|cuesta|cuestan|cuánto)\b")
BOOK: Final = re.compile(r"\b(book|appointment|visit|come round|engineer|reserv\w+|cita|visita|técnico)\b")
BROKEN: Final = re.compile(
    r"\b(repairs?|fix|mend|broken|leaking|no (?:heating|hot water)|reparar|reparación|arregl\w+|una fuga|averiad[oa])\b"
)
"""What wants a visit unless something is asked about it."""
ANSWERS_IN: Final = re.compile(r"Answer in the language ([a-z]{2})")
HELLO: Final = re.compile(r"^(hello|hi|hey|good (morning|afternoon|evening)|hola|buen[oa]s (días|tardes|noches))\W*$")
THANKS: Final = re.compile(r"^(thanks|thank you|bye|that is all|gracias|adiós|eso es todo)\b")
ORDER: Final = (("first", "primer"), ("second", "segund"), ("third", "tercer"))
NEEDED: Final = ("postcode", "name", "phone")
WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "hello": "Hello. What can I do for you?",
        "thanks": "You are welcome. Write again whenever you like.",
        "postcode": "I can arrange that. Please tell me the postcode of the visit.",
        "name": "I can arrange that. Please tell me your name.",
        "phone": "I can arrange that. Please tell me your phone number.",
        "times": "These times are free. Which one suits you?",
        "booked": "Your visit is booked. Your reference is {reference}. Is there anything else?",
        "unknown": "I do not find that in our help pages. Shall I pass you to a person?",
        "yes": "Yes", "no": "No",
    },
    "es": {
        "hello": "Hola. ¿En qué puedo ayudarle?",
        "thanks": "De nada. Escríbanos cuando quiera.",
        "postcode": "Puedo organizarlo. Dígame el código postal de la visita, por favor.",
        "name": "Puedo organizarlo. Dígame su nombre, por favor.",
        "phone": "Puedo organizarlo. Dígame su número de teléfono, por favor.",
        "times": "Estas horas están libres. ¿Cuál le viene bien?",
        "booked": "Su visita está reservada. Su referencia es {reference}. ¿Algo más?",
        "unknown": "No lo encuentro en nuestras páginas de ayuda. ¿Le paso con una persona?",
        "yes": "Sí", "no": "No",
    },
}  # fmt: skip
"""What it says, by language; in any other language as in English."""
PACE: Final = 0.02


def answer(body: Mapping[str, Any]) -> Scene:
    """The next answer to a request."""
    wanted = body.get("tool_choice", {}).get("name", "")
    if wanted in WRITERS:
        return write(body, wanted)
    facts, now, results = _read(body)
    words = WORDS.get(_language(body), WORDS["en"])
    if results:
        return _after(results, now, words)
    said = str(now.get("said", "")).lower()
    if PERSON.search(said):
        return calls(Call("hand_off", {"reason": "The customer asks for a person."}))
    chosen = _chosen(said, now.get("times_offered") or [])
    is_broken = BROKEN.search(said) and "?" not in said
    if chosen or is_broken or BOOK.search(said) or now.get("asked_for") in NEEDED:
        return _book(facts, chosen, words)
    if HELLO.match(said):
        return _says(words["hello"])
    if THANKS.match(said):
        return _says(words["thanks"])
    return calls(Call("find_prices" if PRICE.search(said) else "search_knowledge", {"query": said or "help"}))


def _language(body: Mapping[str, Any]) -> str:
    """The two letters of the language that is to be answered in; empty when none is named."""
    named = next(filter(None, (ANSWERS_IN.search(block.get("text", "")) for block in body.get("system", []))), None)
    return named[1] if named else ""


def _read(body: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any], list[tuple[str, dict[str, Any]]]]:
    """What is known, what was said, and the results of the last calls by the name of the tool."""
    found: dict[str, Any] = {}
    names: dict[str, str] = {}
    results: list[tuple[str, dict[str, Any]]] = []
    blocks = [*body.get("system", []), *(block for message in body["messages"] for block in message["content"])]
    for block in blocks:
        if block["type"] == "text":
            found |= {tag: json.loads(told) for tag, told in TAGGED.findall(block["text"])}
            results = []
        elif block["type"] == "tool_use":
            names[block["id"]] = block["name"]
            results = []
        elif block["type"] == "tool_result":
            results.append((names[block["tool_use_id"]], json.loads(block["content"])))
    return found.get("facts", {}), found.get("now", {}), results


def _book(facts: Mapping[str, Any], chosen: str, words: Mapping[str, str]) -> Scene:
    known = {**facts.get("facts", {}), **{name: f"known:{name}" for name in facts.get("known_not_shown", [])}}
    missing = next((name for name in NEEDED if name not in known), "")
    if missing:
        return _says(words[missing], fact=missing)
    if not chosen:
        return calls(Call("find_slots", {"postcode": known["postcode"], "limit": len(ORDER)}))
    wanted = {name: known[name] for name in NEEDED}
    return calls(Call("book", {"service": facts.get("about") or "Visit", "start": chosen, **wanted}))


def _chosen(said: str, offered: list[Mapping[str, Any]]) -> str:
    """The start of the time that was offered and is meant, if one is."""
    for place, slot in zip(ORDER, offered, strict=False):
        if any(word in said for word in place) or str(slot["label"]).lower() in said:
            return str(slot["start"])
    return ""


def _after(results: list[tuple[str, dict[str, Any]]], now: Mapping[str, Any], words: Mapping[str, str]) -> Scene:
    tool, told = results[-1]
    result = told.get("result", {})
    if result.get("passages"):
        return _says(_sentences(result["passages"][0]["text"]))
    if result.get("prices"):
        return _says(" ".join(f"{each['name']}: {each['price']} {each['unit']}.".replace(" .", ".") for each in result["prices"][:3]))
    if tool == "find_slots" and result.get("slots"):
        return _says(words["times"], fact="time_window")
    if tool == "book" and result.get("reference"):
        return _says(words["booked"].format(reference=result["reference"]))
    if told.get("error") == "not_what_was_given" or now.get("said") == "":
        return calls(Call("hand_off", {"reason": "It could not be booked."}))
    return _says(words["unknown"], options=[words["yes"], words["no"]])


def _sentences(passage: str) -> str:
    plain = re.sub(r"(?m)^#+.*$|[*_`>#]", "", passage)
    found = re.split(r"(?<=[.!?])\s+", " ".join(plain.split()))
    return " ".join(found[:3])


def _says(words: str, **asks: Any) -> Scene:
    wanted = (Call("ask_customer", asks),) if asks else ()
    return Scene((Text(words), *wanted), stop="tool_use" if asks else "end_turn", piece_seconds=PACE)
