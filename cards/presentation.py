"""What brings the patient: which symptoms in scope are active and recent, and whether any card may be made at all.

The symptom gate of specification 3.1 and the silence rules S1, S7, S12 and S16.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib.resources import files

from cards.chart import Chart
from cards.entries import Area, Problem, Unread
from cards.moment import Moment
from cards.toml_file import read_section
from cards.when import When
from cards.windows import Windows
from terminology.closed import Closed
from terminology.errors import BadContent


class Symptom(Closed):
    """The symptoms in scope, as groups of concepts in presentation.toml."""

    CRAMP = "cramp"
    FASCICULATION = "fasciculation"
    MYOKYMIA = "myokymia"
    MYOTONIA = "myotonia"
    FACIAL_SPASM = "facial-spasm"


class Gate(Closed):
    """Whether topics are asked at all, and if not, why; the values go to the log."""

    OPEN = "open"
    NO_SYMPTOM = "no-symptom"
    DECEASED = "deceased"
    TEST_RECORD = "test-record"
    NOT_CLINICIAN = "not-clinician"
    UNDER_AGE = "under-age"
    PROBLEMS_UNREADABLE = "problems-unreadable"
    AGE_UNKNOWN = "age-unknown"


@dataclass(frozen=True, slots=True)
class Gatekeeper:
    """The content of presentation.toml."""

    symptoms: Mapping[Symptom, frozenset[str]]
    words: Mapping[Symptom, str]
    adult: int
    palliative: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Presentation:
    """The gate, the problems that opened it by symptom, newest first, and whether the adult rules are for this age.

    ``symptoms`` may lack those that the patient does not have. ``unread``: entries about a symptom that could not be
    read, and may be of the symptom window; not those left out by rule.
    """

    gate: Gate
    symptoms: Mapping[Symptom, tuple[Problem, ...]]
    words: Mapping[Symptom, str]
    adult: bool | None = None  # None: the birth date does not decide
    unread: Mapping[Symptom, tuple[Unread, ...]] = field(default_factory=dict)
    _shown: dict[tuple[Symptom, ...], tuple[Problem, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )  # nearly every topic asks

    def shows(self, *symptoms: Symptom) -> tuple[Problem, ...]:
        """The problems behind any of these symptoms; empty if the patient has none of them."""
        found = self._shown.get(symptoms)
        if found is None:
            found = each_once(p for symptom in symptoms for p in self.symptoms.get(symptom, ()))
            self._shown[symptoms] = found
        return found


def each_once(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems without repeats: one record may be behind several symptoms or signs."""
    return tuple({p.source: p for p in problems}.values())


def recent(problem: Problem, chart: Chart, windows: Windows) -> bool:
    """Active, and dated within the symptom window or not dated at all (3.1 no. 2, 3.8 no. 24).

    A date of year or month precision counts if any of its days lies in the window: a doubt goes to the warning.
    """
    return problem.active and _within(problem.when, chart, windows)


def _within(when: When | None, chart: Chart, windows: Windows) -> bool:
    return when is None or when.youngest(chart.as_of) <= windows.symptom


def presentation(chart: Chart, windows: Windows, keeper: Gatekeeper, moment: Moment = Moment.RECORD) -> Presentation:
    """Read the gate off the chart. Orders need no symptom and no known age to be judged (3.4, 3.8 no. 6)."""
    symptoms = {
        symptom: tuple(sorted([p for p in problems if recent(p, chart, windows)], key=_newest_first))
        for symptom, concepts in keeper.symptoms.items()
        if (problems := chart.has(*concepts))
    }
    adult = of_age(chart.person.born, chart.as_of, keeper.adult)
    unread = _unread(chart, windows, keeper) if chart.unread else {}
    gate = _gate(chart, symptoms, moment, adult=adult, unread=bool(unread))
    return Presentation(gate, symptoms, keeper.words, adult, unread)


def _unread(chart: Chart, windows: Windows, keeper: Gatekeeper) -> dict[Symptom, tuple[Unread, ...]]:
    entries = [u for u in chart.unread if u.about and not u.expected and _within(u.when, chart, windows)]
    found = {s: tuple([u for u in entries if u.about in concepts]) for s, concepts in keeper.symptoms.items()}
    return {symptom: unread for symptom, unread in found.items() if unread}


def _newest_first(problem: Problem) -> tuple[bool, int, str]:
    when = problem.when
    return (when is None, -when.latest.toordinal() if when else 0, problem.source)


def _gate(
    chart: Chart, symptoms: Mapping[Symptom, tuple[Problem, ...]], moment: Moment, *, adult: bool | None, unread: bool
) -> Gate:
    if chart.person.test_record:
        return Gate.TEST_RECORD
    if chart.person.deceased:
        return Gate.DECEASED
    if not chart.for_clinician:
        return Gate.NOT_CLINICIAN
    if moment is Moment.ORDER:
        return Gate.UNDER_AGE if adult is False else Gate.OPEN
    shown = any(symptoms.values())
    failed = Area.PROBLEMS in chart.inputs and not chart.read_at_all(Area.PROBLEMS)
    # Without the problems a red flag cannot be seen, even if the encounter names the symptom (3.8 no. 5).
    if failed or (not shown and (unread or not chart.complete(Area.PROBLEMS))):
        return Gate.PROBLEMS_UNREADABLE
    if not shown:
        return Gate.NO_SYMPTOM
    match adult:
        case True:
            return Gate.OPEN
        case False:
            return Gate.UNDER_AGE
        case None:
            return Gate.AGE_UNKNOWN


def of_age(born: When | None, as_of: date, adult: int) -> bool | None:
    """Whether the birthday that makes an adult has been reached; None if the birth date does not decide."""
    if born is None:
        return None
    if _reached(born.last_day, adult, as_of):
        return True
    return None if _reached(born.first_day, adult, as_of) else False


def _reached(born: date, years: int, as_of: date) -> bool:
    """Whether it is that birthday or later. Who was born on 29 February has it on 1 March of a common year.

    Compared part by part, for the year of the birthday need not be one that a date can hold (rule R10).
    """
    return (born.year + years, born.month, born.day) <= (as_of.year, as_of.month, as_of.day)


def load_gatekeeper() -> Gatekeeper:
    """The content of presentation.toml. Raises BadContent if a symptom is missing."""
    whole = read_section(files("cards") / "presentation.toml")
    symptoms, words, age = whole.section("symptoms"), whole.section("words"), whole.section("age")
    palliative = whole.section("palliative")
    whole.done()
    keeper = Gatekeeper(
        symptoms={s: frozenset(symptoms.texts(s.value)) for s in Symptom},
        words={s: words.text(s.value) for s in Symptom},
        adult=age.whole("adult"),
        palliative=palliative.texts("concepts"),
    )
    for section in (symptoms, words, age, palliative):
        section.done()
    if not all(keeper.symptoms.values()):
        raise BadContent("presentation.toml: every symptom needs at least one concept")
    return keeper
