"""Forms for the rows and the examples of a table: one field for each fact and for each output, no JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from routing.models import Rule, RuleSetCase
from routing.need import Need
from routing.rules.cells import LONGEST_CELL, CellError, canonical
from routing.rules.compile import Problem, at_character, checked_output, missing_outputs
from routing.rules.schema import DECLARED_FACT_PREFIX, FACTS, LARGEST_NUMBER, OUTPUTS, Fact, Output, Vocabulary, fact_named, number_in

CELL, ANSWER, SAID, EXPECTED = "when_", "then_", "need_", "expect_"
FURTHER = "further_facts"
LARGEST_POSITION = 99_999
FURTHER_HELP = _("Other facts, one for each line, such as “building_age: old”.")
_YES_NO = (("", _("any")), ("yes", _("yes")), ("no", _("no")))
_AS_YES_NO = {"true": "yes", "false": "no"}


class RuleForm(forms.ModelForm):
    """One row: a text for each fact that is asked about, a field for each output."""

    facts: ClassVar[Sequence[Fact]] = ()
    outputs: ClassVar[Sequence[Output]] = ()
    position = forms.IntegerField(
        label=_("Row"),
        min_value=0,
        max_value=LARGEST_POSITION,
        widget=forms.NumberInput(attrs={"class": "rule-position"}),
        help_text=_("The first row that matches decides. Give a row the number of another to put it in its place."),
    )
    vocabulary: ClassVar[Vocabulary] = Vocabulary()
    problems: ClassVar[Mapping[int, Sequence[Problem]]] = {}

    class Meta:
        model = Rule
        fields = ("position", "description")
        labels = {"description": _("What the row is for")}
        widgets = {"description": forms.Textarea(attrs={"rows": 2, "class": "rule-description"})}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        conditions = self.instance.conditions or {}
        for fact in self.facts:
            cell = str(conditions.get(fact.name, ""))
            self.initial[CELL + fact.name] = _AS_YES_NO.get(cell, cell) if fact.type == "yes_no" else cell
        columns = {fact.name for fact in self.facts}
        self.initial[FURTHER] = _written_facts(
            {name: cell for name, cell in conditions.items() if name.startswith(DECLARED_FACT_PREFIX) and name not in columns}
        )
        answers = self.instance.outputs or {}
        for output in self.outputs:
            self.initial[ANSWER + output.name] = answers.get(output.name, output.default)
        for problem in self.problems.get(self.instance.pk, ()):
            self._note(problem)

    def _note(self, problem: Problem) -> None:
        """Has a problem of the stored row shown in its own cell; one of the whole row beside what the row is for."""
        further = FURTHER if problem.column.startswith(DECLARED_FACT_PREFIX) else ""
        names = (CELL + problem.column, ANSWER + problem.column, further)
        name = next((name for name in names if name in self.fields), "description")
        field: Any = self.fields[name]
        names_column = bool(problem.column) and name in (FURTHER, "description")
        message = f"{problem.column_label}: {problem.in_its_cell}" if names_column else problem.in_its_cell
        field.notes = [*getattr(field, "notes", ()), message]
        self._mark(name, problem.character)

    def _mark(self, name: str, character: int | None = None) -> None:
        """Says to who listens that a cell is wrong, and to the page's script where in it."""
        attributes = self.fields[name].widget.attrs
        attributes["aria-invalid"] = "true"
        if character is not None and name != FURTHER:
            attributes["data-wrong-at"] = str(character)

    def _get_validation_exclusions(self) -> set[str]:
        """Numbers may collide while rows change places; the set renumbers them."""
        return super()._get_validation_exclusions() | {"position"}  # type: ignore[misc, no-any-return]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self.instance.conditions = self._cells(cleaned)
        answers = {}
        for output in self.outputs:
            field = ANSWER + output.name
            if field not in self.errors:
                try:
                    answers[output.name] = checked_output(output, cleaned.get(field), self.vocabulary)
                except CellError as error:
                    self.add_error(field, str(error))
        read = [(output, answers[output.name]) for output in self.outputs if output.name in answers]
        for output, sentence in missing_outputs(read):
            self.add_error(ANSWER + output.name, sentence)
        self.instance.outputs = answers
        return cleaned

    def _cells(self, cleaned: Mapping[str, Any]) -> dict[str, str]:
        cells = {fact.name: (CELL + fact.name, str(cleaned.get(CELL + fact.name) or "").strip()) for fact in self.facts}
        cells |= {
            DECLARED_FACT_PREFIX + name: (FURTHER, cell) for name, cell in (cleaned.get(FURTHER) or {}).items()
        }
        kept = {}
        for name, (field, cell) in cells.items():
            fact = self.vocabulary.fact_named(name)
            if fact is None:
                continue
            try:
                if canonical(cell, fact, self.vocabulary):
                    kept[name] = cell
            except CellError as error:
                character = None if error.at is None else error.at + 1
                message = at_character(str(error), character)
                self.add_error(field, f"{fact.label}: {message}" if field == FURTHER else message)
                self._mark(field, character)
        return kept


class CaseForm(forms.ModelForm):
    """One example: what is known, and what must come out. What is left empty has its default, or is not checked."""

    facts: ClassVar[Sequence[Fact]] = ()
    outputs: ClassVar[Sequence[Output]] = ()

    class Meta:
        model = RuleSetCase
        fields = ("name",)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        need = self.instance.need or {}
        told = dict(need.get("facts", {}))
        for fact in self.facts:
            if fact.name.startswith(DECLARED_FACT_PREFIX):
                self.initial[SAID + fact.name] = told.pop(fact.name.removeprefix(DECLARED_FACT_PREFIX), "")
            elif fact.name in need:
                self.initial[SAID + fact.name] = _as_choice(need[fact.name])
        self.initial[FURTHER] = _written_facts(told)
        for name, value in (self.instance.expected or {}).items():
            self.initial[EXPECTED + name] = _as_choice(value)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self.instance.need = need_said(cleaned, self.facts)
        expected = {}
        for output in self.outputs:
            value = cleaned.get(EXPECTED + output.name)
            if value not in (None, "", []):
                expected[output.name] = value == "yes" if output.type == "yes_no" else value
        if not expected and not self.errors:
            raise forms.ValidationError(_("Say at least one thing that must come out."))
        self.instance.expected = expected
        return cleaned


class FactsField(forms.CharField):
    """Lines of “name: value” as a dict; names are those that tables can ask for."""

    widget = forms.Textarea(attrs={"rows": 1, "class": "rule-further"})

    def to_python(self, value: Any) -> Any:
        facts = {}
        for line in str(super().to_python(value)).splitlines():
            if not line.strip():
                continue
            name, colon, said = line.partition(":")
            if not colon:
                raise forms.ValidationError(_("Write a name, a colon and a value on each line."))
            if fact_named(DECLARED_FACT_PREFIX + name.strip()) is None:
                raise forms.ValidationError(
                    _("“%(name)s” cannot be the name of a fact. Use small letters, digits and underscores, starting with a letter."),
                    params={"name": name.strip()[:60]},
                )
            if name.strip() in FACTS:
                raise forms.ValidationError(
                    _("“%(name)s” has a place of its own. Write it there; where its column is not shown, show all columns first."),
                    params={"name": name.strip()},
                )
            facts[name.strip()] = said.strip()
        return facts

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether other facts are written than before; spaces and empty lines do not count."""
        try:
            return bool(self.to_python(initial or "") != self.to_python(data or ""))
        except forms.ValidationError:
            return True


class SaidFactsField(FactsField):
    """What somebody said, as conversations tell it to routing: texts of a limited length. Declared ones have fields of their own."""

    def to_python(self, value: Any) -> Any:
        facts = super().to_python(value)
        for name, said in facts.items():
            if "\x00" in said or len(said) > LONGEST_CELL:
                raise forms.ValidationError(
                    _("The value of “%(name)s” is too long or cannot be read; %(longest)d characters are the most."),
                    params={"name": name, "longest": LONGEST_CELL},
                )
        return facts


class SaidNumberField(forms.CharField):
    """A number of a declared fact, kept as the text in which customers give it."""

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value and number_in(value) is None:
            raise forms.ValidationError(_("“%(value)s” is not a number."), params={"value": value})


def rule_form(
    kind: str, facts: Sequence[Fact], vocabulary: Vocabulary, problems: Mapping[int, Sequence[Problem]] | None = None
) -> type[RuleForm]:
    """The form of one row of a table of this kind, with these columns; `problems` of stored rows, by id, stand in their cells."""
    outputs = OUTPUTS[kind]
    fields: dict[str, Any] = {CELL + fact.name: _cell_field(fact) for fact in facts}
    fields[FURTHER] = FactsField(label=_("Other facts"), required=False, help_text=FURTHER_HELP)
    fields |= {ANSWER + output.name: _answer_field(output, vocabulary) for output in outputs}
    known = {"facts": facts, "outputs": outputs, "vocabulary": vocabulary, "problems": problems or {}}
    return type("RuleRowForm", (RuleForm,), fields | known)


def case_form(kind: str, vocabulary: Vocabulary) -> type[CaseForm]:
    """The form of one example of a table of this kind."""
    outputs = OUTPUTS[kind]
    fields: dict[str, Any] = said_fields(kind, vocabulary)
    fields |= {EXPECTED + output.name: _expected_field(output, vocabulary) for output in outputs}
    return type("RuleSetCaseForm", (CaseForm,), {**fields, "facts": vocabulary.facts_of(kind), "outputs": outputs})


def try_form(kind: str, vocabulary: Vocabulary) -> type[forms.Form]:
    """The form of a need, to try a table of this kind with."""
    return type("TryForm", (forms.Form,), dict(said_fields(kind, vocabulary)))


def said_fields(kind: str, vocabulary: Vocabulary) -> dict[str, forms.Field]:
    """One field for each fact that a table of this kind may ask about; nothing is required."""
    fields: dict[str, forms.Field] = {SAID + fact.name: _said_field(fact, vocabulary) for fact in vocabulary.facts_of(kind)}
    fields[FURTHER] = SaidFactsField(label=_("Other facts"), required=False, help_text=FURTHER_HELP)
    return fields


def need_said(cleaned: Mapping[str, Any], facts: Sequence[Fact]) -> dict[str, Any]:
    """What was filled in for these facts, as the JSON of a need."""
    need: dict[str, Any] = {}
    declared: dict[str, str] = dict(cleaned.get(FURTHER) or {})
    for fact in facts:
        value = cleaned.get(SAID + fact.name)
        if value in (None, ""):
            continue
        if fact.name.startswith(DECLARED_FACT_PREFIX):
            declared[fact.name.removeprefix(DECLARED_FACT_PREFIX)] = value
        else:
            need[fact.name] = value == "yes" if fact.type == "yes_no" else value
    if declared:
        need["facts"] = declared
    return need


def _cell_field(fact: Fact) -> forms.Field:
    if fact.type == "yes_no":
        return forms.ChoiceField(label=fact.label, required=False, choices=_YES_NO)
    attributes = {"class": "rule-cell", "autocomplete": "off"}
    if fact.values:
        attributes["list"] = f"values-{fact.values}"
    return forms.CharField(
        label=fact.label,
        required=False,
        max_length=LONGEST_CELL,
        widget=forms.TextInput(attrs=attributes),
        help_text=fact.help_text,
    )


def _answer_field(output: Output, vocabulary: Vocabulary) -> forms.Field:
    common: dict[str, Any] = {"label": output.label, "required": output.required, "help_text": output.help_text}
    if output.type == "choice":
        return forms.ChoiceField(choices=[("", "—"), *vocabulary.of(output.values).items()], **common)
    if output.type == "choices":
        return forms.MultipleChoiceField(
            choices=list(vocabulary.of(output.values).items()),
            widget=forms.CheckboxSelectMultiple(attrs={"class": "rule-choices"}),
            **common,
        )
    if output.type == "whole_number":
        return forms.IntegerField(min_value=output.lowest, max_value=output.highest, **common)
    if output.type == "yes_no":
        return forms.BooleanField(**{**common, "required": False})
    return forms.CharField(max_length=40, widget=forms.TextInput(attrs={"class": "rule-cell"}), **common)


def _expected_field(output: Output, vocabulary: Vocabulary) -> forms.Field:
    common: dict[str, Any] = {"label": output.label, "required": False}
    if output.type == "choice":
        return forms.ChoiceField(choices=[("", _("not checked")), *vocabulary.of(output.values).items()], **common)
    if output.type == "yes_no":
        return forms.ChoiceField(choices=[("", _("not checked")), *_YES_NO[1:]], **common)
    return _answer_field(output, vocabulary) if output.type == "choices" else _optional(output, common)


def _optional(output: Output, common: dict[str, Any]) -> forms.Field:
    if output.type == "whole_number":
        return forms.IntegerField(min_value=output.lowest, max_value=output.highest, **common)
    return forms.CharField(max_length=40, widget=forms.TextInput(attrs={"class": "rule-cell"}), **common)


def _said_field(fact: Fact, vocabulary: Vocabulary) -> forms.Field:
    common: dict[str, Any] = {"label": fact.label, "required": False}
    if fact.type == "yes_no":
        return forms.ChoiceField(choices=[("", _("as usual")), *_YES_NO[1:]], **common)
    if fact.type == "choice":
        usual = _("not known") if fact.name.startswith(DECLARED_FACT_PREFIX) else _("as usual")
        return forms.ChoiceField(choices=[("", usual), *vocabulary.of(fact.values).items()], **common)
    if fact.type == "number" and fact.name.startswith(DECLARED_FACT_PREFIX):
        return SaidNumberField(max_length=30, widget=forms.TextInput(attrs={"class": "rule-cell", "inputmode": "decimal"}), **common)
    if fact.type == "number":
        lowest = -LARGEST_NUMBER if fact.lowest is None else fact.lowest
        highest = LARGEST_NUMBER if fact.highest is None else fact.highest
        if isinstance(getattr(Need(), fact.name), int):
            return forms.IntegerField(min_value=int(lowest), max_value=int(highest), **common)
        return forms.FloatField(min_value=lowest, max_value=highest, **common)
    return forms.CharField(max_length=60, widget=forms.TextInput(attrs={"class": "rule-cell"}), **common)


def _as_choice(value: Any) -> Any:
    return ("yes" if value else "no") if isinstance(value, bool) else value


def _written_facts(facts: Mapping[str, str]) -> str:
    return "\n".join(f"{name.removeprefix(DECLARED_FACT_PREFIX)}: {value}" for name, value in facts.items())
