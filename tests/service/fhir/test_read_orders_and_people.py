"""Orders on record, allergies, and the patient."""

import pytest

from cards.entries import Area, OrderStatus, Sex
from tests.service.fhir.builders import DMD, OURS, SNOMED, chart, concept, patient, why_unread

CK = (SNOMED, "397798009")
NEUROLOGY = (SNOMED, "183521007")
QUININE = (SNOMED, "324915004")
A_BRAND = (SNOMED, "407039008")


def order(**more):
    return {"resourceType": "ServiceRequest", "id": "s1", "status": "active", "intent": "order", "code": concept(CK),
            "subject": OURS, "authoredOn": "2026-06-01T10:00:00Z"} | more  # fmt: skip


def the_order(*resources):
    made = chart(*resources)
    assert made.unread == ()
    (found,) = made.orders
    return found


def test_an_order_is_read_with_status_date_and_source():
    found = the_order(order())

    assert (found.concepts, found.label, found.source) == (
        frozenset({"order-ck"}), "Creatine kinase (CK)", "ServiceRequest/s1",
    )  # fmt: skip
    assert (found.status, str(found.when)) == (OrderStatus.ACTIVE, "2026-06-01")


@pytest.mark.parametrize(
    ("elements", "status"),
    [
        ({"status": "requested"}, OrderStatus.ACTIVE),
        ({"status": "accepted"}, OrderStatus.ACTIVE),
        ({"status": "in-progress"}, OrderStatus.ACTIVE),
        ({"status": "draft"}, OrderStatus.DRAFT),
        ({"status": "proposed"}, OrderStatus.DRAFT),
        ({"intent": "proposal"}, OrderStatus.DRAFT),
        ({"intent": "plan"}, OrderStatus.ACTIVE),
        ({"status": "completed"}, OrderStatus.COMPLETED),
        ({"status": "on-hold"}, OrderStatus.OTHER),
        ({"status": "unknown"}, OrderStatus.OTHER),
    ],
)
def test_the_status_of_an_order_is_read_in_every_spelling(elements, status):
    assert the_order(order(**elements)).status is status


@pytest.mark.parametrize(
    "elements",
    [{"status": "entered-in-error"}, {"status": "revoked"}, {"status": "cancelled"}, {"status": "rejected"},
     {"doNotPerform": True}],
)  # fmt: skip
def test_an_order_that_does_not_stand_is_left_out_by_rule(elements):
    made = chart(order(**elements))

    assert made.orders == ()
    assert [(one.about, one.expected) for one in made.unread] == [("order-ck", True)]


def test_an_order_without_a_status_is_named():
    assert why_unread(order(status=None)) == "Creatine kinase (CK): it has no status that is known"


@pytest.mark.parametrize(
    "elements",
    [
        {"code": {"concept": concept(NEUROLOGY)}},
        {"resourceType": "ReferralRequest", "code": None, "serviceRequested": [concept(NEUROLOGY)]},
        {"resourceType": "ReferralRequest", "code": None, "specialty": concept(NEUROLOGY)},
        {"resourceType": "ReferralRequest", "code": None, "type": concept(NEUROLOGY)},
        {"resourceType": "ProcedureRequest", "code": concept(NEUROLOGY)},
        {"resourceType": "DiagnosticOrder", "code": None, "item": [{"code": concept(NEUROLOGY)}]},
    ],
)
def test_what_is_ordered_is_read_in_every_spelling(elements):
    assert the_order(order(**elements)).concepts == {"refer-neurology"}


@pytest.mark.parametrize(
    "elements",
    [
        {"orderedOn": "2026-06-02"},
        {"date": "2026-06-02"},
        {"dateSent": "2026-06-02"},
        {"event": [{"status": "requested", "dateTime": "2026-06-02"}, {"dateTime": "2026-05-01"}]},
    ],
)
def test_the_date_of_an_order_is_read_in_every_spelling(elements):
    assert str(the_order(order(authoredOn=None, **elements)).when) == "2026-06-02"


def test_an_order_of_no_kind_of_ours_is_counted():
    made = chart(order(code=concept((SNOMED, "86198006"))))

    assert (made.orders, made.unmapped) == ((), {Area.ORDERS: 1})


# Allergies


def allergy(**more):
    return {"resourceType": "AllergyIntolerance", "id": "a1", "patient": OURS, "code": concept(QUININE, text="Quinine"),
            "clinicalStatus": concept(("", "active")), "verificationStatus": concept(("", "confirmed"))} | more  # fmt: skip


@pytest.mark.parametrize(
    "elements",
    [
        {},
        {"code": None, "substance": concept(QUININE, text="Quinine"), "status": "confirmed"},
        {"code": {"text": "Quinine"}, "reaction": [{"substance": concept(QUININE)}]},
        {"clinicalStatus": "active", "verificationStatus": "unconfirmed"},
        {"clinicalStatus": None, "verificationStatus": None},
    ],
)
def test_an_allergy_is_read_in_every_spelling(elements):
    made = chart(allergy(**elements))

    assert [(one.ingredients, one.label, one.source) for one in made.allergies] == [
        (frozenset({"quinine"}), "Quinine", "AllergyIntolerance/a1")
    ]
    assert made.unread == ()


@pytest.mark.parametrize(
    "elements",
    [
        {"verificationStatus": concept(("", "refuted"))},
        {"verificationStatus": "entered-in-error"},
        {"clinicalStatus": concept(("", "inactive"))},
        {"clinicalStatus": "resolved"},
        {"clinicalStatus": None, "verificationStatus": None, "status": "refuted"},
    ],
)
def test_an_allergy_that_does_not_count_is_left_out_by_rule(elements):
    made = chart(allergy(**elements))

    assert made.allergies == ()
    assert [(one.about, one.expected) for one in made.unread] == [("quinine", True)]


def test_an_allergy_in_words_or_by_brand_alone_decides_nothing_and_is_named():
    for code, about in (({"text": "Quinine"}, "quinine"), (concept(A_BRAND), "atomoxetine")):
        made = chart(allergy(code=code))

        assert made.allergies == ()
        assert [(one.about, one.expected) for one in made.unread] == [(about, False)]


def test_an_allergy_to_anything_else_is_counted():
    made = chart(allergy(code=concept((DMD, "1"), text="Latex")))

    assert (made.allergies, made.unread, made.unmapped) == ((), (), {Area.ALLERGIES: 1})


# The patient

CLINICAL_USE = "http://hl7.org/fhir/StructureDefinition/patient-sexParameterForClinicalUse"


def clinical_use(code, url=CLINICAL_USE, **period):
    parts = [{"url": "value", "valueCodeableConcept": concept(("http://terminology.hl7.org/x", code))}]
    if period:
        parts.append({"url": "period", "valuePeriod": period})
    return {"url": url, "extension": parts}


def test_the_patient_is_read():
    person = chart(patient()).person

    assert (str(person.born), person.sex, person.deceased, person.test_record) == (
        "1970-05-01", Sex.FEMALE, False, False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("gender", "sex"),
    [("male", Sex.MALE), ("female", Sex.FEMALE), ("other", Sex.UNKNOWN), ("unknown", Sex.UNKNOWN), (None, Sex.UNKNOWN),
     (7, Sex.UNKNOWN)],
)  # fmt: skip
def test_the_gender_chooses_a_limit_only_if_it_is_male_or_female(gender, sex):
    assert chart(patient(gender=gender)).person.sex is sex


@pytest.mark.parametrize(
    ("extensions", "sex"),
    [
        ([clinical_use("male-typical")], Sex.MALE),
        ([clinical_use("female-typical")], Sex.FEMALE),
        ([clinical_use("specified")], Sex.UNKNOWN),
        ([clinical_use("unknown")], Sex.UNKNOWN),
        ([clinical_use("male", url="http://example.org/StructureDefinition/sex-for-clinical-use")], Sex.MALE),
        ([clinical_use("male-typical"), clinical_use("female-typical")], Sex.UNKNOWN),
        ([clinical_use("male-typical", end="2020-01-01"), clinical_use("female-typical")], Sex.FEMALE),
        ([clinical_use("male-typical", end="2020-01-01")], Sex.FEMALE),
        ([{"url": CLINICAL_USE}], Sex.FEMALE),
        ([{"url": "http://example.org/other", "valueCode": "male"}], Sex.FEMALE),
    ],
)
def test_the_sex_for_clinical_use_is_preferred_to_the_gender(extensions, sex):
    assert chart(patient(extension=extensions)).person.sex is sex


@pytest.mark.parametrize(
    ("elements", "deceased"),
    [
        ({"deceasedBoolean": True}, True),
        ({"deceasedBoolean": False}, False),
        ({"deceasedDateTime": "2026-06-01"}, True),
        ({"deceasedDateTime": "2026"}, True),
        ({"deceasedDateTime": "some day"}, True),
        ({"deceasedDateTime": "2026-06-16"}, False),
    ],
)
def test_whether_the_patient_has_died_is_read(elements, deceased):
    assert chart(patient(**elements)).person.deceased is deceased


def test_a_death_that_cannot_be_read_is_named():
    made = chart(patient(deceasedBoolean="true"))

    assert [one.why for one in made.unread] == ["whether the patient has died could not be read"]


def test_a_test_patient_is_known_by_its_security_label():
    label = {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}]}

    assert chart(patient(meta=label)).person.test_record


def test_a_birth_date_may_be_a_year_or_be_missing():
    assert str(chart(patient(birthDate="1970")).person.born) == "1970"
    assert chart(patient(birthDate=None)).person.born is None


@pytest.mark.parametrize("birth_date", ["May 1970", "9999-12-31", "9999", "2026-06-16"])
def test_a_birth_date_that_cannot_be_one_is_named(birth_date):
    made = chart(patient(birthDate=birth_date))

    assert made.person.born is None
    assert [(one.area, one.why) for one in made.unread] == [(Area.PATIENT, "the birth date could not be read")]


def test_two_birth_dates_are_none():
    made = chart(patient(), patient(birthDate="1971-05-01"))

    assert made.person.born is None
    assert [one.why for one in made.unread] == ["there is more than one birth date"]


def test_of_two_versions_of_the_patient_the_newer_counts():
    older = patient(birthDate="1971-05-01", meta={"lastUpdated": "2026-01-01T12:00:00+02:00"})
    newer = patient(meta={"lastUpdated": "2026-01-01T11:00:00Z"})

    assert str(chart(newer, older).person.born) == str(chart(older, newer).person.born) == "1970-05-01"
