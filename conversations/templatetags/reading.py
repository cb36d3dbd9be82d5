"""Template filters for reading stored values; the wording itself is in conversations.reading.wording."""

from django import template

from conversations.reading import evidence, wording, wrap_ups
from conversations.services import consent_texts

register = template.Library()
register.filter("linked", wording.linked)
register.filter("readable", wording.readable)
register.filter("evidence", evidence.told)
register.filter("words", wording.words)
register.filter("fact_label", wording.fact_label)
register.filter("fact_value", wording.fact_value)
register.filter("unmarked", wording.unmarked)
register.filter("moment", wording.moment)
register.filter("consent_scope", consent_texts.scope_of)
register.filter("lasting", wording.lasting)
register.filter("language_name", wording.language_name)
register.filter("mood_course", wrap_ups.mood_course)
register.filter("outcome", wrap_ups.outcome)
