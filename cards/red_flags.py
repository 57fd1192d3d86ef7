"""Red flags beside a twitch or cramp, the neurology referrals on record, and whether one answers the other.

Specification 3.1, P1-P8 and 3.8 no. 1 and 24; the concepts and words stand in red_flags.toml. Several topics ask: what
speaks for a referral, what is withheld from the benign ones, and how an order for a referral is judged.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from cards.case import Case, answered_once
from cards.entries import Area, Order, OrderStatus, Problem, Unread
from cards.presentation import Symptom
from cards.toml_file import read_section
from cards.when import When
from terminology.closed import Closed
from terminology.errors import BadContent


class Sign(Closed):
    """What makes a twitch or cramp a reason to refer, gravest first."""

    BULBAR = "bulbar"
    RIGIDITY = "rigidity"
    WEAKNESS = "weakness"
    WASTING = "wasting"
    SEVERE_CRAMP = "severe-cramp"


POWER: Final = (Sign.WEAKNESS, Sign.WASTING)
"""The signs of lost power; either one is enough (D2)."""

_SIGNS = (Sign.BULBAR, Sign.RIGIDITY, Sign.WEAKNESS, Sign.WASTING)  # those that a concept of their own records


class Answered(Closed):
    """Whether the running referrals were made on or after the day of a red flag, by what the dates can prove."""

    YES = "yes"
    NO = "no"
    UNPROVEN = "unproven"  # the flag or the referral has no date, or one too coarse to tell


@dataclass(frozen=True, slots=True)
class RedFlagContent:
    """The content of red_flags.toml."""

    beside: tuple[Symptom, ...]
    signs: Mapping[Sign, tuple[str, ...]]
    words: Mapping[Sign, str]
    undated: str
    breathing: tuple[str, ...]
    known: tuple[str, ...]
    neuropathy: tuple[str, ...]
    secondary: tuple[str, ...]
    referrals: tuple[str, ...]

    @property
    def concepts(self) -> tuple[str, ...]:
        """Every concept and order that the file names."""
        signs = (concept for concepts in self.signs.values() for concept in concepts)
        diseases = (*self.known, *self.neuropathy, *self.secondary)
        return (*signs, *self.breathing, *diseases, *self.referrals)


@dataclass(frozen=True, slots=True)
class RedFlag:
    """One sign and the problems that record it. The twitch itself is not among them: its date never counts."""

    sign: Sign
    problems: tuple[Problem, ...]

    @property
    def word(self) -> str:
        """The sign as a sentence begins with it: ``Weakness``."""
        return RED_FLAGS.words[self.sign]

    @property
    def date(self) -> str:
        """The latest date of the sign as printed (3.8 no. 1); the word for undated if none of its records has one."""
        return printed(p.when for p in self.problems)


@dataclass(frozen=True, slots=True)
class Referrals:
    """Active neurology referrals, newest first. ``running``: surely dated within the referral window (P5).

    ``others`` are older or undated: they are not taken to answer a red flag, and are named.
    """

    running: tuple[Order, ...]
    others: tuple[Order, ...]

    @property
    def all(self) -> tuple[Order, ...]:
        """Every active one, whenever dated (P5a)."""
        return (*self.running, *self.others)

    @property
    def date(self) -> str:
        """The date of the newest, as printed."""
        return printed(order.when for order in self.all[:1])

    def answer(self, flags: Iterable[RedFlag]) -> Answered:
        """Whether the running referrals answer these flags: one made on the same day or later does (3.7, P5)."""
        dates = [p.when for flag in flags for p in flag.problems]
        if not self.running or any(self._came_before(when) for when in dates):
            return Answered.NO
        return Answered.YES if all(self._came_after(when) for when in dates) else Answered.UNPROVEN

    def _came_before(self, flag: When | None) -> bool:
        made = [order.when for order in self.running if order.when is not None]
        return flag is not None and all(when.last_day < flag.first_day for when in made)

    def _came_after(self, flag: When | None) -> bool:
        made = [order.when for order in self.running if order.when is not None]
        return flag is not None and any(when.first_day >= flag.last_day for when in made)


@answered_once
def red_flags(case: Case) -> tuple[RedFlag, ...]:
    """The red flags recorded within the symptom window or without a date, gravest first (P1, P3, P4).

    None without a cramp, fasciculation or myokymia beside them. Breathlessness alone is no red flag: see
    :func:`breathless`.
    """
    if not case.shows.shows(*RED_FLAGS.beside):
        return ()
    severe = tuple(p for p in case.shows.shows(Symptom.CRAMP) if p.severe)
    return (*recent_signs(case), *((RedFlag(Sign.SEVERE_CRAMP, severe),) if severe else ()))


@answered_once
def recent_signs(case: Case) -> tuple[RedFlag, ...]:
    """The signs recorded within the symptom window or without a date, whatever stands beside them."""
    if not case.chart.has(*_SIGN_CONCEPTS):
        return ()
    found = [RedFlag(sign, case.recent(*RED_FLAGS.signs[sign])) for sign in _SIGNS]
    return tuple(flag for flag in found if flag.problems)


def old_signs(case: Case) -> tuple[RedFlag, ...]:
    """Signs recorded longer ago than the symptom window and still active: background, named and no flag (3.1)."""
    if not case.chart.has(*_SIGN_CONCEPTS):
        return ()
    recent = {p.source for flag in recent_signs(case) for p in flag.problems}
    found = [
        RedFlag(sign, tuple(p for p in case.chart.has(*RED_FLAGS.signs[sign]) if p.source not in recent))
        for sign in _SIGNS
    ]
    return tuple(flag for flag in found if flag.problems)


def resolved_weakness(case: Case) -> tuple[Problem, ...]:
    """Weakness or wasting on record that is marked resolved or inactive: no flag, but a clinician may want to know."""
    return tuple([p for p in case.chart.problems if not p.active and not p.concepts.isdisjoint(_POWER_CONCEPTS)])


def unread_signs(case: Case) -> tuple[Unread, ...]:
    """Entries about a sign, a muscle or nerve disease or myotonia that could not be read, wherever they stand: no
    benign advice may rest on their absence (rule R10, P7, S8).
    """
    found = [u for u in case.chart.unread if not u.expected and u.about in _NEVER_BENIGN]
    return (*found, *case.shows.unread.get(Symptom.MYOTONIA, ()))


def unread_parts(case: Case) -> tuple[Area, ...]:
    """The parts of the record in which signs are looked for that were not read to the end: what is not recorded there
    may not be called absent (principle 2 of the document on reliability, HZ10).
    """
    return tuple([area for area in _HOLD_SIGNS if not case.complete(area)])


def breathless(case: Case) -> tuple[Problem, ...]:
    """Breathlessness at rest or lying flat, within the symptom window or undated (P2)."""
    return case.recent(*RED_FLAGS.breathing)


def known_disease(case: Case) -> tuple[Problem, ...]:
    """Known neuromuscular disease of any age (P8)."""
    return case.chart.has(*RED_FLAGS.known)


def secondary_myopathy(case: Case) -> tuple[Problem, ...]:
    """A myopathy of any age that is not known disease: secondary, infective, or of unstated cause (P8)."""
    return case.chart.has(*RED_FLAGS.secondary)


@answered_once
def known_neuropathy(case: Case) -> tuple[Problem | Order, ...]:
    """Neuropathy under a specialist: with the neurology referrals that say so; empty without one (3.8 no. 24).

    A referral that was sent counts, of whatever date and also when it is completed; a draft does not. The speciality of
    past encounters is not read, so a patient seen without a coded referral is not recognised.
    """
    neuropathy = case.chart.has(*RED_FLAGS.neuropathy)
    if not neuropathy:
        return ()
    sent = [order for order in _referral_orders(case) if order.status in (OrderStatus.ACTIVE, OrderStatus.COMPLETED)]
    return (*neuropathy, *sent) if sent else ()


@answered_once
def neurology_referrals(case: Case) -> Referrals:
    """The active neurology referrals that were read."""
    running = case.ordered(*RED_FLAGS.referrals, within=case.windows.referral)
    others = [o for o in _referral_orders(case) if o.status is OrderStatus.ACTIVE and o not in running]
    return Referrals(running, tuple(sorted(others, key=_newest_first)))


def may_be_known(case: Case) -> bool:
    """Whether a neuropathy is on record, and the orders that were not read may hold the referral that makes it known
    disease (S8, 3.8 no. 24).
    """
    return bool(case.chart.has(*RED_FLAGS.neuropathy)) and not (known_neuropathy(case) or case.complete(Area.ORDERS))


def _referral_orders(case: Case) -> list[Order]:
    return [order for order in case.chart.orders if not order.concepts.isdisjoint(RED_FLAGS.referrals)]


def may_propose_referral(case: Case) -> bool:
    """Whether a new neurology referral may be proposed: not if an unread order may be one already (3.8 no. 13)."""
    return case.complete(Area.ORDERS)


def named_symptom(case: Case) -> str:
    """The symptom a summary names beside a red flag: ``Fasciculation`` before ``Cramp`` before ``Myokymia``."""
    return next(case.shows.words[s].capitalize() for s in RED_FLAGS.beside if case.shows.shows(s))


def printed(dates: Iterable[When | None]) -> str:
    """The latest of these dates as a card prints it, or the word for undated."""
    known = [when for when in dates if when is not None]
    return str(max(known, key=lambda when: (when.last_day, when.first_day))) if known else RED_FLAGS.undated


def each_named(problems: Iterable[Problem]) -> str:
    """The problems in one line of a sentence, each with its date and where it stands."""
    return "; ".join(f"{p.label}, {printed([p.when])} ({p.source})" for p in problems)


def _newest_first(order: Order) -> tuple[bool, int, str]:
    return (order.when is None, -order.when.latest.toordinal() if order.when else 0, order.source)


def load_red_flags() -> RedFlagContent:
    """The content of red_flags.toml. Raises BadContent if a table or a name in it is missing or unknown."""
    whole = read_section(files("cards") / "red_flags.toml")
    names = ("beside", "signs", "words", "breathing", "known", "myopathy", "referral")
    tables = {name: whole.section(name) for name in names}
    whole.done()
    try:
        beside = tuple(Symptom(name) for name in tables["beside"].texts("symptoms"))
    except ValueError as error:
        raise BadContent("red_flags.toml: [beside] symptoms should be symptoms of presentation.toml") from error
    content = RedFlagContent(
        beside=beside,
        signs={sign: tables["signs"].texts(sign.value) for sign in _SIGNS},
        words={sign: tables["words"].text(sign.value) for sign in Sign},
        undated=tables["words"].text("undated"),
        breathing=tables["breathing"].texts("concepts"),
        known=tables["known"].texts("concepts"),
        neuropathy=tables["known"].texts("neuropathy"),
        secondary=tables["myopathy"].texts("secondary"),
        referrals=tables["referral"].texts("orders"),
    )
    for table in tables.values():
        table.done()
    diseases = (content.known, content.neuropathy, content.secondary)
    groups = (*content.signs.values(), content.breathing, *diseases, content.referrals)
    if not all(groups) or not beside:
        raise BadContent("red_flags.toml: every list needs at least one entry")
    return content


RED_FLAGS: Final = load_red_flags()
_SIGN_CONCEPTS = frozenset(concept for sign in _SIGNS for concept in RED_FLAGS.signs[sign])
_POWER_CONCEPTS = frozenset(concept for sign in POWER for concept in RED_FLAGS.signs[sign])
_NEVER_BENIGN = _SIGN_CONCEPTS.union(RED_FLAGS.known, RED_FLAGS.secondary)
_HOLD_SIGNS = (Area.PROBLEMS, Area.RESULTS, Area.ENCOUNTER)  # a finding and a reason for the encounter record them too
