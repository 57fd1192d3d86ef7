"""Patient, and what is recorded of relatives and allergies (specification 3.1 no. 1, 3.2, 3.8 no. 16, HZ06)."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from cards.entries import Allergy, Area, Person, Relative, Sex, Unread
from cards.when import When
from service.fhir.elements import code_words, member, objects, pairs, said, words
from service.fhir.only_named import A_MODIFIER
from service.fhir.record import Record, source
from service.fhir.resource import Resource
from terminology.vocabulary import Link

SEX_EXTENSIONS: Final = frozenset({"patient-sexparameterforclinicaluse", "sex-for-clinical-use", "sexforclinicaluse"})
"""Last part of the address of the extension, in lower case; the name changed while it was drafted."""

SEXES: Final = {
    "male-typical": Sex.MALE,
    "male": Sex.MALE,
    "female-typical": Sex.FEMALE,
    "female": Sex.FEMALE,
    "specified": Sex.UNKNOWN,
    "unknown": Sex.UNKNOWN,
}
GENDERS: Final = {"male": Sex.MALE, "female": Sex.FEMALE}

TEST_RECORD: Final = "HTEST"
"""The security label of test patients (3.8 no. 16)."""

ALLERGY_LEFT_OUT: Final = {
    "entered-in-error": "was entered in error",
    "refuted": "is recorded as refuted",
    "inactive": "is recorded as inactive",
    "resolved": "is recorded as resolved",
}


def read_person(patients: Sequence[Resource], record: Record) -> tuple[Person, tuple[Unread, ...]]:
    """The patient from every Patient resource that carries the patient's id; usually one.

    Two that disagree on the birth date leave it unknown, and named: there must be one (3.1 no. 1). Of two sexes
    neither counts.
    """
    unread: list[Unread] = []
    births: set[When] = set()
    for patient in patients:
        born = record.moment(patient.birthDate)
        if born is not None and not born.begins_after(record.as_of):  # 9999-12-31 stands for "not set"
            births.add(born)
        elif patient.birthDate is not None:
            unread.append(Unread(Area.PATIENT, "", "the birth date could not be read", source(patient)))
        if not isinstance(patient.deceasedBoolean, bool | None):
            unread.append(Unread(Area.PATIENT, "", "whether the patient has died could not be read", source(patient)))
    if len(births) > 1:
        unread.append(Unread(Area.PATIENT, "", "there is more than one birth date", source(patients[0])))
    sexes = {_sex(patient, record) for patient in patients}
    person = Person(
        next(iter(births)) if len(births) == 1 else None,
        next(iter(sexes)) if len(sexes) == 1 else Sex.UNKNOWN,
        any(_deceased(patient, record) for patient in patients),
        any(_is_test_record(patient) for patient in patients),
    )
    return person, tuple(unread)


def alive(patients: Sequence[Resource]) -> bool:
    """Whether a Patient resource says outright that the patient has not died."""
    return any(patient.deceasedBoolean is False for patient in patients)


def _deceased(patient: Resource, record: Record) -> bool:
    """Recorded as dead, or any date of death but one still to come."""
    if patient.deceasedBoolean is True:
        return True
    died = record.moment(patient.deceasedDateTime)
    if died is None:
        return bool(words(patient.deceasedDateTime))
    return died.first_day <= record.as_of


def _is_test_record(patient: Resource) -> bool:
    return any(code == TEST_RECORD for _, code in pairs(member(patient.meta, "security")))


def _sex(patient: Resource, record: Record) -> Sex:
    """For choosing a laboratory limit only (3.2): the sex for clinical use if it is given, else the gender."""
    if patient.extension is not None and (stated := set(_sexes_for_clinical_use(patient.extension, record))):
        return stated.pop() if len(stated) == 1 else Sex.UNKNOWN
    return GENDERS.get(words(patient.gender).lower(), Sex.UNKNOWN)


def _sexes_for_clinical_use(extensions: Any, record: Record) -> Iterator[Sex]:
    for extension in objects(extensions):
        if words(extension.get("url")).lower().rpartition("/")[2] not in SEX_EXTENSIONS:
            continue
        values: list[Any] = [extension.get("valueCodeableConcept"), extension.get("valueCode")]
        over = False
        for part in objects(extension.get("extension")):
            if part.get("url") == "value":
                values += [part.get("valueCodeableConcept"), part.get("valueCode"), part.get("valueCoding")]
            elif part.get("url") == "period":
                end = record.period(part.get("valuePeriod"))[1]
                over = end is not None and end.last_day < record.as_of
        for value in values:
            if not over and (codes := code_words(value)):
                found = {SEXES.get(code, Sex.UNKNOWN) for code in codes}
                yield found.pop() if len(found) == 1 else Sex.UNKNOWN


def read_relatives(resource: Resource, record: Record) -> tuple[Relative | Unread, ...]:
    """FamilyMemberHistory: opens a line of the detail, never a red flag (3.1 no. 3).

    A condition that carries a modifier is only named: Oracle Health writes so that a relative does not have it.
    """
    origin = source(resource)
    left_out = words(resource.status) == "entered-in-error"
    who = next((safe for text in said(resource.relationship) if (safe := record.safe(text))), "")
    found: list[Relative | Unread] = []

    def unread(concepts: frozenset[str], why: str, *, expected: bool) -> Iterator[Unread]:
        why = f"{record.titles(concepts)}: {why}"
        return (Unread(Area.FAMILY, one, why, origin, expected=expected) for one in sorted(concepts))

    for condition in objects(resource.condition):
        concepts = record.concepts(condition.get("code"))
        if not concepts:
            record.count_unmapped(Area.FAMILY)
        elif left_out:
            found += unread(concepts, "was entered in error", expected=True)
        elif condition.get("modifierExtension"):
            found += unread(concepts, A_MODIFIER, expected=False)
        elif resource.notDone is not True:
            found.append(Relative(concepts, who, record.titles(concepts), origin))
    return tuple(found)


def read_allergy(resource: Resource, record: Record) -> tuple[Allergy | Unread, ...]:
    """AllergyIntolerance that counts. One that is known by words or by a brand alone is named, and decides nothing.

    The substance: ``code``, DSTU2 ``substance``, or the substance of a reaction.
    """
    concepts = [resource.code, resource.substance]
    concepts += [reaction.get("substance") for reaction in objects(resource.reaction)]
    texts = [text for concept in concepts for text in said(concept)]
    matches = [match for concept in concepts if (match := record.medicine(concept)) is not None]
    sure = frozenset(one for match in matches if match.link is Link.CODE for one in match.ingredients)
    unsure = frozenset(one for match in matches if match.link is not Link.CODE for one in match.ingredients)
    if not matches and (by_name := record.medicine_named(texts)) is not None:
        unsure = by_name.ingredients
    unsure = unsure.union(*(match.also_by_brand for match in matches)) - sure
    if not (sure or unsure):
        record.count_unmapped(Area.ALLERGIES)
        return ()
    origin = source(resource)
    label = next((safe for text in texts if (safe := record.safe(text))), "") or record.titles(sure or unsure)

    def unread(ingredients: frozenset[str], why: str, *, expected: bool = False) -> tuple[Unread, ...]:
        return tuple(
            Unread(Area.ALLERGIES, one, f"{label}: {why}", origin, expected=expected) for one in sorted(ingredients)
        )

    stated = code_words(resource.verificationStatus) | code_words(resource.clinicalStatus) | code_words(resource.status)
    for code, why in ALLERGY_LEFT_OUT.items():
        if code in stated:
            return unread(sure | unsure, why, expected=True)
    found: tuple[Allergy | Unread, ...] = (Allergy(sure, label, origin),) if sure else ()
    return found + unread(unsure, "is not recorded with a code that names its ingredient")
