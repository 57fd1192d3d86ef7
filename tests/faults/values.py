"""The table of F22: for every analyte that a rule reads, a record in which its value decides, and every odd form of it.

The numbers are those of the specification (3.2, 3.5): beside what stands with it, the value makes the card of its topic
as grave as said; without it the card is not there, or calmer. So it is seen whether the value was used.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from tests.faults.story import PATIENT, Json, day, problem, result
from tests.service.fhir.builders import SNOMED, UCUM

Form: TypeAlias = Callable[[Json, "Scene"], Json]
Observed: TypeAlias = tuple[str, float, str, tuple[float, float]]
"""Code, value, unit, range."""

ENTRY: Final = "odd"
DAYS_AGO: Final = 10


@dataclass(frozen=True)
class Scene:
    """One analyte. ``normal``: a value within the range. ``implausible``: one below its span and one above.

    ``decides`` and ``leaves_open``: a comparator and a number that say it is out of range, and that do not. ``without``
    is the weight of the card when the value cannot be used; None: no such card.
    """

    sends: Observed
    normal: float
    implausible: tuple[float, float]
    decides: tuple[str, float]
    leaves_open: tuple[str, float]
    topic: str
    screen: str = ""  # the test of the screen that it settles, as a card names it
    beside: tuple[Observed, ...] = ()
    without: str | None = None


TOTAL_CALCIUM, ALBUMIN, TSH = "2000-8", "1751-7", "3016-3"

SCENES: Final = {
    "potassium": Scene(
        ("2823-3", 3.1, "mmol/L", (3.5, 5.3)), 4.2, (0.9, 12.1), ("<", 3.1), ("<", 6.0), "biochemistry", "U&E"
    ),
    "sodium": Scene(("2951-2", 127, "mmol/L", (133, 146)), 139, (89, 221), ("<", 127), ("<", 150), "biochemistry"),
    "calcium-adjusted": Scene(
        ("29265-6", 2.05, "mmol/L", (2.2, 2.6)), 2.4, (0.49, 6.01), ("<", 2.05), ("<", 2.7), "biochemistry", "calcium"
    ),
    "calcium-total": Scene(
        (TOTAL_CALCIUM, 2.05, "mmol/L", (2.2, 2.6)),
        2.4,
        (0.49, 6.01),
        ("<", 2.05),
        ("<", 2.7),
        "biochemistry",
        "calcium",
        beside=((ALBUMIN, 40, "g/L", (35, 50)),),
    ),
    "magnesium": Scene(
        ("2601-3", 0.55, "mmol/L", (0.7, 1.0)), 0.85, (0.04, 8.01), ("<", 0.55), ("<", 1.5), "biochemistry"
    ),
    "albumin": Scene(  # 55 g/L takes 0.3 mmol/L from the calcium
        (ALBUMIN, 55, "g/L", (35, 50)),
        40,
        (7, 71),
        (">", 55),
        (">", 30),
        "biochemistry",
        beside=((TOTAL_CALCIUM, 2.3, "mmol/L", (2.2, 2.6)),),
    ),
    "ck-total": Scene(("2157-6", 1500, "U/L", (25, 200)), 90, (0.9, 1_000_001), (">", 1500), (">", 100), "ck", "CK"),
    "tsh": Scene((TSH, 12.0, "mIU/L", (0.4, 4.5)), 2.0, (0.0009, 501), (">", 12), (">", 1), "thyroid", "TSH"),
    "free-t4": Scene(
        ("14920-3", 5.0, "pmol/L", (9, 25)),
        15,
        (0.09, 201),
        ("<", 5),
        ("<", 20),
        "thyroid",
        beside=((TSH, 6.0, "mIU/L", (0.4, 4.5)),),
        without="info",
    ),
    "free-t3": Scene(
        ("14928-6", 12.0, "pmol/L", (3.1, 6.8)),
        5,
        (0.09, 101),
        (">", 12),
        (">", 4),
        "thyroid",
        beside=((TSH, 0.2, "mIU/L", (0.4, 4.5)),),
        without="info",
    ),
}


def plain(scene: Scene) -> Json:
    """The value in the form that every laboratory sends."""
    return result(ENTRY, *scene.sends, days_ago=DAYS_AGO)


def the_record(scene: Scene, *observations: Json) -> list[Json]:
    """A patient with cramps, these observations, and what stands with the analyte, taken at the same time."""
    beside = [result(f"beside{place}", *one, days_ago=DAYS_AGO) for place, one in enumerate(scene.beside)]
    return [PATIENT, problem("c1", "55300003"), *beside, *observations]


# ---- forms


def also(**members: Any) -> Form:
    """These members too, or in place of those that are there."""
    return lambda sent, _scene: sent | members


def instead(member: str, **members: Any) -> Form:
    """These members, and one less."""
    return lambda sent, _scene: {name: one for name, one in sent.items() if name != member} | members


def quantity(**members: Any) -> Form:
    """Some members of the quantity otherwise; None: not there."""

    def form(sent: Json, _scene: Scene) -> Json:
        made = sent["valueQuantity"] | members
        return sent | {"valueQuantity": {name: one for name, one in made.items() if one is not None}}

    return form


def unit(spelled: str) -> Form:
    """The unit so, as text and as code."""
    return quantity(unit=spelled, code=spelled)


def dated(when: str) -> Form:
    """The effective date so, as it stands."""
    return also(effectiveDateTime=when)


def _swapped(sent: Json, scene: Scene) -> Json:
    return unit(scene.sends[2].swapcase())(sent, scene)


def _text(sent: Json, scene: Scene) -> Json:
    return instead("valueQuantity", valueString=f"{scene.sends[1]} {scene.sends[2]}")(sent, scene)


def _number_as_text(sent: Json, scene: Scene) -> Json:
    return quantity(value=str(scene.sends[1]))(sent, scene)


def _text_with_comparator(sent: Json, scene: Scene) -> Json:
    return quantity(value=f"{scene.decides[0]}{scene.decides[1]}")(sent, scene)


def _beyond(side: int) -> Form:
    return lambda sent, scene: quantity(value=scene.implausible[side])(sent, scene)


def _minus(sent: Json, scene: Scene) -> Json:
    return quantity(value=-scene.sends[1])(sent, scene)


def _leaves_open(sent: Json, scene: Scene) -> Json:
    return quantity(comparator=scene.leaves_open[0], value=scene.leaves_open[1])(sent, scene)


def _later_today(sent: Json, _scene: Scene) -> Json:
    return sent | {"effectiveDateTime": f"{day(-2)}T00:00:01Z"}


NAMED: Final[dict[str, tuple[str, Form]]] = {
    # a unit is never guessed (3.2, 3.7, HZ04)
    "no unit": ("the value has no unit", quantity(unit=None, code=None, system=None)),
    "an empty unit": ("the value has no unit", quantity(unit=" ", code="", system=None)),
    "a code of another system for a unit": ("the value has no unit", quantity(unit=None, code="1", system=SNOMED)),
    "half a unit": ("is not one that can be converted", unit("mmol")),
    "mg%": ("is not one that can be converted", unit("mg%")),
    "a unit of something else": ("is not one that can be converted", unit("mm[Hg]")),
    "letters of the other case": ("is not one that can be converted", _swapped),
    "an object for a unit": ("the unit could not be read", quantity(unit={"text": "mmol/L"})),
    # a value (3.8 no. 15, 19)
    "in words": ("the value was sent as text", instead("valueQuantity", valueString="normal")),
    "value and unit as text": ("the value was sent as text", _text),
    "<0.1 as text": ("the value was sent as text", instead("valueQuantity", valueString="<0.1")),
    "the number as text": ("the value was sent as text", _number_as_text),
    "a comparator in the number": ("the value was sent as text", _text_with_comparator),
    "a comparator that does not decide": ("given only as less or more", _leaves_open),
    "a comparator that nobody knows": ("comparator that is not known", quantity(comparator="~")),
    "sufficient to reach": ("comparator that is not known", quantity(comparator="ad")),
    "true": ("not a number that can be used", quantity(value=True)),
    "a list": ("not a number that can be used", quantity(value=[1])),
    "an integer alone": ("the value has no unit", instead("valueQuantity", valueInteger=5)),
    "a range": ("range or ratio", instead("valueQuantity", valueRange={"low": {"value": 1}})),
    "a ratio": ("range or ratio", instead("valueQuantity", valueRatio={"numerator": {"value": 1}})),
    "a code": ("not a number", instead("valueQuantity", valueCodeableConcept={"text": "low"})),
    "no value": ("it has no value", instead("valueQuantity")),
    "absent for a reason": ("clotted", instead("valueQuantity", dataAbsentReason={"text": "clotted"})),
    "below any plausible value": ("not a plausible value", _beyond(0)),
    "above any plausible value": ("not a plausible value", _beyond(1)),
    "nought": ("not a plausible value", quantity(value=0)),
    "less than nought": ("not a plausible value", _minus),
    # a status (3.2)
    "no status": ("it has no status", instead("status")),
    "a status that nobody knows": ("a status that is not known", also(status="perhaps")),
    "not there yet": ("the result is not there yet", also(status="registered")),
    # a date (R10, HZ07)
    "no date": ("it has no date", instead("effectiveDateTime")),
    "the date of the report alone": (
        "only that of the report",
        instead("effectiveDateTime", issued=f"{day(3)}T09:00Z"),
    ),
    "a date in words": ("its date could not be read", dated("last week")),
    "the thirtieth of February": ("its date could not be read", dated("2026-02-30")),
    "a month that is none": ("its date could not be read", dated("2026-13-01")),
    "a date that stands for none": ("its date could not be read", dated("0001-01-01")),
    "a number for a date": ("its date could not be read", also(effectiveDateTime=20260601)),
    "a day to come": ("it is dated in the future", dated(day(-2))),
    "a moment to come": ("it is dated in the future", _later_today),
    "a year to come": ("it is dated in the future", dated("2999")),
}
"""What is named as unreadable, on the card where its absence could mislead; by the words of the reason."""


def _by_code_alone(sent: Json, scene: Scene) -> Json:
    return quantity(unit=None, code=scene.sends[2], system=UCUM)(sent, scene)


def _by_name_alone(sent: Json, scene: Scene) -> Json:
    return quantity(unit=scene.sends[2], code=None, system=None)(sent, scene)


USED: Final[dict[str, Form]] = {
    "plain": also(),
    "the unit as a code alone": _by_code_alone,
    "the unit as text alone": _by_name_alone,
    "amended": also(status="amended"),
    "corrected": also(status="corrected"),
    "a status not stated": also(status="unknown"),
    "a day": dated(day(DAYS_AGO)),
    "a minute": dated(f"{day(DAYS_AGO)}T09:00Z"),
    "another zone": dated(f"{day(DAYS_AGO)}T15:00:00.5+05:30"),
    "a moment": instead("effectiveDateTime", effectiveInstant=f"{day(DAYS_AGO)}T09:00:00Z"),
    "a period": instead("effectiveDateTime", effectivePeriod={"start": day(DAYS_AGO), "end": day(DAYS_AGO)}),
}
"""What is used: the value, with its date, on the card of its topic."""
