"""The words that articles use, for telling what a slip of the keyboard was meant to be."""

from __future__ import annotations

import re
import threading
from collections import Counter, OrderedDict
from collections.abc import Mapping
from typing import Final

from django.db.models import Count, Max, QuerySet

from conversations.models import KnowledgePassage, KnowledgeQuestion

WORD: Final = re.compile(r"[^\W\d_]+")
REMEMBERED: Final = 8

_lock = threading.Lock()
_known: OrderedDict[tuple[object, ...], Mapping[str, int]] = OrderedDict()


def vocabulary(passages: QuerySet[KnowledgePassage], questions: QuerySet[KnowledgeQuestion]) -> Mapping[str, int]:
    """How often each word stands in some passages, their titles and some questions, in small letters.

    Kept by the process until a passage or a question is made or goes: two statements, and two more then, which read all of them.
    """
    stamps = [rows.order_by().aggregate(many=Count("pk"), last=Max("pk")) for rows in (passages, questions)]
    key = tuple((stamp["many"], stamp["last"]) for stamp in stamps)
    with _lock:
        found = _known.get(key)
    if found is None:
        texts = [f"{title} {text}" for title, text in passages.order_by().values_list("article__title", "text")]
        texts += questions.order_by().values_list("text", flat=True)
        found = Counter(word for text in texts for word in WORD.findall(text.lower()))
        with _lock:
            _known[key] = found
            while len(_known) > REMEMBERED:
                _known.popitem(last=False)
    return found
