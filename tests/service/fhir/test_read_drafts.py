import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.entries import Area, Dose, OrderStatus, Unread
from service.fhir.basket import Basket, read_basket
from service.fhir.read_drafts import ANOTHERS, WITHDRAWN, concerns_us
from terminology.vocabulary import Link
from tests.service.fhir.builders import (
    AS_OF,
    CRAMP,
    DMD,
    FUROSEMIDE,
    OURS,
    RXNORM,
    SNOMED,
    chart,
    concept,
    condition,
    request,
    statement,
    vocabulary,
)

QUININE = (RXNORM, "9071")
MALARIA = (SNOMED, "61462000")
NEUROLOGY = (SNOMED, "183521007")
ORDER_CK = (SNOMED, "397798009")
AMILORIDE_AND_FUROSEMIDE = (DMD, "18370211000001106")
SOMEONE = {"reference": "Patient/p2"}


def a_draft(code=QUININE, **more):
    without = more.pop("without", ())
    made = {
        "resourceType": "MedicationRequest",
        "id": "draft-1",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": concept(code, text="Quinine sulfate 200mg tablets"),
        "subject": OURS,
    } | more
    return {name: one for name, one in made.items() if name not in without}


def an_order(order=NEUROLOGY, **more):
    return {
        "resourceType": "ServiceRequest",
        "id": "draft-2",
        "status": "draft",
        "intent": "order",
        "code": concept(order),
        "subject": OURS,
    } | more


def bundle(*resources, **more):
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]} | more


def basket(sent, selections=None):
    return read_basket(json.dumps(sent).encode(), selections)


def drafted(*resources, selections=None, beside=()):
    return chart(*beside, basket=basket(bundle(*resources), selections))


def only_draft(*resources, **options):
    (draft,) = drafted(*resources, **options).drafts
    return draft


def test_a_drafted_medicine_is_read_with_its_reason_and_its_dose():
    draft = only_draft(
        a_draft(
            reasonCode=[concept(CRAMP)],
            dosageInstruction=[
                {
                    "timing": {"repeat": {"when": ["HS"]}},
                    "doseAndRate": [{"doseQuantity": {"value": 200, "unit": "mg"}}],
                }
            ],
        )
    )

    assert (draft.ingredients, draft.concepts, draft.link, draft.judged) == ({"quinine"}, frozenset(), Link.CODE, True)
    assert (draft.label, draft.source) == ("Quinine sulfate 200mg tablets", "MedicationRequest/draft-1")
    assert draft.reasons == {"muscle-cramp"}
    assert draft.dose == Dose(Decimal(200), Decimal(200))


def test_a_drafted_test_or_referral_is_a_draft_and_an_order_of_today():
    made = drafted(an_order(), an_order(ORDER_CK, id="draft-3"))

    assert [(sorted(one.concepts), one.link, one.ingredients) for one in made.drafts] == [
        (["refer-neurology"], None, frozenset()),
        (["order-ck"], None, frozenset()),
    ]
    assert [(order.status, order.source) for order in made.orders] == [
        (OrderStatus.DRAFT, "ServiceRequest/draft-2"),
        (OrderStatus.DRAFT, "ServiceRequest/draft-3"),
    ]
    assert {order.when.youngest(AS_OF) for order in made.orders} == {0}


def test_an_order_on_record_that_is_signed_again_is_not_one_more():
    signed_again = an_order(status="active", authoredOn="2026-05-01")
    another = signed_again | {"id": "s9"}
    made = drafted(signed_again, beside=(signed_again, another))

    assert [(order.source, order.status) for order in made.orders] == [
        ("ServiceRequest/draft-2", OrderStatus.DRAFT),
        ("ServiceRequest/s9", OrderStatus.ACTIVE),
    ]


def test_a_medicine_that_is_taken_stays_one_when_it_is_renewed():
    active = request(id="draft-1")
    made = drafted(a_draft(FUROSEMIDE), beside=(active,))

    assert [medicine.active for medicine in made.medicines] == [True]
    assert [draft.source for draft in made.drafts] == ["MedicationRequest/draft-1"]


@pytest.mark.parametrize("spelled", [
    {"resourceType": "MedicationOrder", "patient": OURS, "dateWritten": "2026-06-15", "without": ("subject",)},
    {"resourceType": "MedicationPrescription", "patient": OURS, "without": ("subject",)},
    {"medication": {"concept": concept(QUININE)}, "without": ("medicationCodeableConcept",)},
    {"medication": concept(QUININE), "without": ("medicationCodeableConcept",)},
    {"medicationReference": {"reference": "#m"}, "without": ("medicationCodeableConcept",),
     "contained": [{"resourceType": "Medication", "id": "m", "code": concept(QUININE)}]},
    {"medication": {"reference": {"reference": "#m"}}, "without": ("medicationCodeableConcept",),
     "contained": [{"resourceType": "Medication", "id": "m", "code": concept(QUININE)}]},
    {"category": {"coding": [{"code": "community"}]}},
    {"without": ("status", "intent")},
    {"without": ("subject",)},
    {"subject": None},
    {"subject": {"reference": "https://ehr.example.org/fhir/Patient/p1"}},
    {"intent": "plan"},
    {"status": "active"}, {"status": "on-hold"}, {"status": "completed"}, {"status": "unknown"}, {"status": 5},
], ids=str)  # fmt: skip
def test_a_draft_is_read_however_it_is_written(spelled):
    draft = only_draft(a_draft(**spelled))

    assert draft.ingredients == {"quinine"}
    assert draft.link is Link.CODE
    assert draft.judged


@pytest.mark.parametrize("spelled", [
    {"resourceType": "ReferralRequest", "code": None, "serviceRequested": [concept(NEUROLOGY)]},
    {"resourceType": "ReferralRequest", "code": None, "specialty": concept(NEUROLOGY)},
    {"resourceType": "ProcedureRequest"},
    {"resourceType": "DiagnosticOrder", "code": None, "item": [{"code": concept(NEUROLOGY)}], "status": "proposed"},
    {"code": {"concept": concept(NEUROLOGY)}},
], ids=str)  # fmt: skip
def test_a_drafted_referral_is_read_in_older_and_newer_spellings(spelled):
    made = drafted(an_order(**spelled))

    assert [draft.concepts for draft in made.drafts] == [{"refer-neurology"}]
    assert [order.status for order in made.orders] == [OrderStatus.DRAFT]


@pytest.mark.parametrize(("reference", "full_url", "identity"), [
    ("Medication/eMed3", None, "eMed3"),
    ("https://ehr.example.org/fhir/Medication/eMed3", None, "eMed3"),
    ("urn:uuid:0f-1", "urn:uuid:0f-1", "eMed3"),
    ("urn:uuid:0f-1", "urn:uuid:0f-1", None),
    ("https://ehr.example.org/fhir/Medication/9", "https://ehr.example.org/fhir/Medication/9", None),
])  # fmt: skip
def test_a_medication_sent_as_an_entry_of_its_own_is_found(reference, full_url, identity):
    medication = {"resourceType": "Medication", "id": identity, "code": concept(QUININE)}
    sent = bundle(a_draft(medicationReference={"reference": reference}, without=("medicationCodeableConcept",)))
    sent["entry"].append({"fullUrl": full_url, "resource": medication})
    (draft,) = chart(basket=basket(sent)).drafts

    assert draft.ingredients == {"quinine"}


def test_a_medication_of_the_drafts_is_for_the_drafts_alone():
    by_reference = {"medicationReference": {"reference": "Medication/1"}, "without": ("medicationCodeableConcept",)}
    on_record = {"resourceType": "Medication", "id": "1", "code": concept(FUROSEMIDE)}
    beside = {"resourceType": "Medication", "id": "1", "code": concept(QUININE)}
    made = drafted(a_draft(**by_reference), beside, beside=(request(**by_reference), on_record))

    assert [medicine.ingredients for medicine in made.medicines] == [{"furosemide"}]
    assert [draft.ingredients for draft in made.drafts] == [{"quinine"}]


def test_a_medicine_in_words_is_known_by_name_only():
    named = only_draft(a_draft(medicationCodeableConcept={"text": "Quinine 300 mg tablets"}))
    shown = only_draft(
        a_draft(medicationReference={"reference": "Medication/x", "display": "FUROSEMIDE 40 MG PO TABS"},
                without=("medicationCodeableConcept",))
    )  # fmt: skip

    assert (named.ingredients, named.link) == ({"quinine"}, Link.NAME)
    assert (shown.ingredients, shown.link) == ({"furosemide"}, Link.NAME)


def test_a_combination_product_gives_all_its_ingredients_and_no_dose():
    dosage = [{"doseAndRate": [{"doseQuantity": {"value": 40, "unit": "mg"}}]}]
    draft = only_draft(a_draft(AMILORIDE_AND_FUROSEMIDE, dosageInstruction=dosage))

    assert draft.ingredients == {"amiloride", "furosemide"}
    assert draft.dose.night is None
    assert "combination" in draft.dose.why


def test_a_reason_may_be_a_problem_on_record():
    reasons = {"reasonReference": [{"reference": "Condition/c7"}]}
    draft = only_draft(a_draft(**reasons), beside=(condition(MALARIA, id="c7"),))

    assert draft.reasons == {"malaria"}
    assert only_draft(a_draft(**reasons)).reasons == frozenset()
    assert only_draft(an_order(reasonCode=[concept(CRAMP)])).reasons == {"muscle-cramp"}


@pytest.mark.parametrize(("status", "why"), sorted(WITHDRAWN.items()))
@pytest.mark.parametrize("made", [a_draft, an_order])
def test_a_draft_that_is_withdrawn_is_left_out_by_rule(made, status, why):
    found = drafted(made(status=status))

    assert (found.drafts, found.orders) == ((), ())
    assert [(one.expected, why in one.why) for one in found.unread] == [(True, True)]


@pytest.mark.parametrize("made", [a_draft, an_order])
def test_a_draft_that_carries_a_modifier_is_named_and_not_judged(made):
    stop = {"modifierExtension": [{"url": "http://example.org/stop-type", "valueCode": "definite"}]}
    found = drafted(made(**stop))

    assert (found.drafts, found.orders) == ((), ())
    assert [(one.expected, one.why.partition(": ")[2]) for one in found.unread] == [
        (False, "the draft carries a modifier that is not understood")
    ]
    assert drafted(made(**stop, status="cancelled")).unread[0].expected


def test_an_order_not_to_do_it_is_left_out_by_rule():
    found = drafted(a_draft(doNotPerform=True))

    assert found.drafts == ()
    assert [(one.about, one.expected) for one in found.unread] == [("quinine", True)]


@pytest.mark.parametrize("made", [a_draft, an_order])
@pytest.mark.parametrize("whose", [{"subject": SOMEONE}, {"patient": SOMEONE}, {"subject": SOMEONE, "patient": OURS},
                                   {"without": ("subject",), "patient": SOMEONE},
                                   {"subject": {"reference": "https://e.example/fhir/Patient/p2"}},
                                   {"subject": {"reference": "Group/p1"}}], ids=str)  # fmt: skip
def test_nothing_of_a_draft_for_another_patient_is_used(made, whose):
    found = drafted(made(**whose, status="cancelled"), made(**whose))
    area = Area.MEDICINES if made is a_draft else Area.ORDERS

    assert (found.drafts, found.orders, found.medicines) == ((), (), ())
    assert found.unread == (Unread(area, "", ANOTHERS, made()["resourceType"], expected=True),)


@pytest.mark.parametrize("subject", [
    {"identifier": {"value": "4711"}}, {"reference": "#patient"}, {"reference": "urn:uuid:9"}, {"display": "Someone"},
], ids=str)  # fmt: skip
def test_a_draft_whose_subject_cannot_be_told_is_named_and_not_used(subject):
    found = drafted(a_draft(subject=subject))

    assert found.drafts == ()
    assert [(one.expected, "whose it is" in one.why) for one in found.unread] == [(False, True)]
    assert "Someone" not in repr(found)


@pytest.mark.parametrize("unfinished", [
    {"without": ("medicationCodeableConcept",)}, {"medicationCodeableConcept": {}},
    {"medicationCodeableConcept": {"text": " "}}, {"medicationCodeableConcept": 5},
    {"medicationCodeableConcept": concept((RXNORM, "0"))},
], ids=str)  # fmt: skip
def test_a_draft_without_a_medicine_we_know_is_nothing(unfinished):
    found = drafted(a_draft(**unfinished))

    assert (found.drafts, found.medicines, found.unread) == ((), (), ())
    assert all(state.why == "" for state in found.inputs.values())


def test_other_types_of_order_are_skipped_one_by_one():
    others = [{"resourceType": kind, "id": "x", "subject": SOMEONE} for kind in ("NutritionOrder", "DeviceRequest")]
    found = drafted(*others, a_draft())

    assert len(found.drafts) == 1
    assert found.unread == ()


@pytest.mark.parametrize("entry", [{}, {"fullUrl": "urn:uuid:1"}, None, 5, "x", [], {"resource": None},
                                   {"resource": {"id": "x"}}, {"resource": []}], ids=str)  # fmt: skip
def test_an_entry_that_is_no_resource_costs_only_itself(entry):
    sent = bundle(a_draft())
    sent["entry"].insert(0, entry)
    found = chart(basket=basket(sent))

    assert len(found.drafts) == 1
    assert [(one.area, one.expected, one.source) for one in found.unread] == [(Area.ORDERS, False, "")]


@pytest.mark.parametrize(
    "sent", [{"resourceType": "Bundle"}, {"entry": None}, {"entry": []}, [], None, 5, "x"], ids=str
)
def test_a_bundle_without_entries_is_an_empty_basket(sent):
    assert basket(sent) == Basket()
    assert not concerns_us(basket(sent), vocabulary())


@pytest.mark.parametrize("more", [{"type": "searchset"}, {"type": None}, {"type": 5}, {"total": 9}], ids=str)
def test_the_type_of_the_bundle_is_not_looked_at(more):
    assert len(basket(bundle(a_draft()) | more).orders) == 1


def test_one_entry_in_place_of_a_list_is_read():
    assert len(basket({"resourceType": "Bundle", "entry": {"resource": a_draft()}}).orders) == 1


LONG = "eA1b-2C.3d" * 20


@pytest.mark.parametrize(("selection", "judged"), [
    ("MedicationRequest/draft-1", True),
    ("draft-1", True),
    ("https://ehr.example.org/fhir/MedicationRequest/draft-1", True),
    ("https://ehr.example.org/fhir/MedicationRequest/draft-1/_history/2", True),
    ("urn:uuid:5a", True),
    ("MedicationRequest/draft-2", False),
    ("ServiceRequest/draft-1", False),
    ("MedicationRequest/DRAFT-1", False),
    ("MedicationRequest", False),
    ("MedicationRequest/", False),
    ("/", False),
    ("draft", False),
])  # fmt: skip
def test_a_selection_names_a_draft_in_many_ways(selection, judged):
    sent = {"resourceType": "Bundle", "entry": [{"fullUrl": "urn:uuid:5a", "resource": a_draft()}]}
    found = basket(sent, (selection,))

    assert [entry.judged for entry in found.orders] == [judged]
    assert concerns_us(found, vocabulary()) is judged
    assert [draft.judged for draft in chart(basket=found).drafts] == [judged]


def test_a_great_many_selections_and_drafts_are_matched():
    """In less than it takes to compare each with each."""
    sent = bundle(*(a_draft(id=f"d{number}") for number in range(5000)))
    selections = tuple(f"MedicationRequest/d{number}" for number in range(4999, 100_000))

    assert [entry.resource.id for entry in basket(sent, selections).orders if entry.judged] == ["d4999"]


def test_long_ids_are_kept_whole():
    draft = only_draft(a_draft(id=LONG), selections=(f"MedicationRequest/{LONG}",))

    assert len(LONG) == 200
    assert (draft.judged, draft.source) == (True, f"MedicationRequest/{LONG}")


@pytest.mark.parametrize(("full_url", "source"), [
    ("https://ehr.example.org/fhir/MedicationRequest/9", "MedicationRequest/9"),
    ("urn:uuid:16fd2706-8baf-433b-82eb-8c7fada847da", "MedicationRequest/16fd2706-8baf-433b-82eb-8c7fada847da"),
    ("https://ehr.example.org/fhir/ServiceRequest/9", "MedicationRequest"),
    ("", "MedicationRequest"), (None, "MedicationRequest"), (5, "MedicationRequest"),
])  # fmt: skip
@pytest.mark.parametrize("identity", [None, ""])
def test_a_draft_without_an_id_is_known_by_its_full_url(full_url, source, identity):
    sent = {"resourceType": "Bundle", "entry": [{"fullUrl": full_url, "resource": a_draft(id=identity)}]}
    (draft,) = chart(basket=basket(sent)).drafts

    assert draft.source == source


def test_several_selections_and_context_drafts_are_told_apart():
    other = a_draft(FUROSEMIDE, id="draft-4")
    made = drafted(a_draft(), an_order(), other, selections=("draft-4", "ServiceRequest/draft-2"))

    assert {draft.source: draft.judged for draft in made.drafts} == {
        "MedicationRequest/draft-1": False,
        "MedicationRequest/draft-4": True,
        "ServiceRequest/draft-2": True,
    }


UNNAMED = ("medicationCodeableConcept",)


@pytest.mark.parametrize(("draft", "ours"), [
    (a_draft(), True),
    (an_order(), True),
    (a_draft(medicationCodeableConcept={"text": "Furosemide"}), True),
    (a_draft(without=UNNAMED), False),
    (a_draft(medicationCodeableConcept={"text": "Paracetamol 500mg tablets"}), False),
    (an_order((SNOMED, "72133")), False),
    (a_draft(medicationReference={"reference": "Medication/elsewhere"}, without=UNNAMED), True),
    (a_draft(medicationReference={"reference": "Medication/m1"}, without=UNNAMED), False),
    (a_draft(medication={"reference": {"reference": "Medication/elsewhere"}}, without=UNNAMED), True),
], ids=str)  # fmt: skip
def test_whether_an_order_concerns_us_is_told_from_the_drafts_alone(draft, ours):
    beside = {"resourceType": "Medication", "id": "m1", "code": {"text": "Paracetamol"}}

    assert concerns_us(basket(bundle(draft, beside)), vocabulary()) is ours
    assert not concerns_us(basket(bundle(draft, beside), ("elsewhere",)), vocabulary())


def test_a_medicine_that_is_only_referred_to_is_found_on_record():
    draft = a_draft(medicationReference={"reference": "Medication/m9"}, without=UNNAMED)
    on_record = {"resourceType": "Medication", "id": "m9", "code": concept(QUININE)}

    assert only_draft(draft, beside=(on_record,)).ingredients == {"quinine"}


def test_the_dose_of_a_medicine_that_is_taken_is_read_too():
    dosage = [{"doseAndRate": [{"doseQuantity": {"value": 40, "unit": "mg"}}], "timing": {"repeat": {"when": ["HS"]}}}]
    (taken,) = chart(statement(dosage=dosage)).medicines
    (ordered,) = chart(request(dosageInstruction=dosage)).medicines
    (unstated,) = chart(statement()).medicines

    assert taken.dose == ordered.dose == Dose(Decimal(40), Decimal(40))
    assert unstated.dose is None


def test_the_order_of_the_drafts_and_repeats_do_not_matter():
    sent = [a_draft(), an_order(), a_draft(FUROSEMIDE, id="draft-4"), a_draft()]

    assert drafted(*sent) == drafted(*reversed(sent))
    assert len(drafted(*sent).drafts) == 3


def test_without_a_basket_there_are_no_drafts():
    assert chart().drafts == ()


NAMES = ["resourceType", "id", "status", "medicationCodeableConcept", "medicationReference", "medication", "reference",
         "subject", "patient", "code", "coding", "text", "display", "contained", "reasonCode", "reasonReference",
         "dosageInstruction", "item", "resource", "fullUrl", "entry", "doNotPerform"]  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(
        ["Bundle", "MedicationRequest", "Medication", "ServiceRequest", "draft-1", "#m", "Patient/p1", "Quinine", "x"]
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=40,
)  # fmt: skip


@given(ANYTHING, st.none() | st.tuples(st.sampled_from(["draft-1", "/", "x", "urn:uuid:1"])))
def test_no_basket_whatever_it_holds_raises(sent, selections):
    chart(basket=basket(sent, selections))
    chart(basket=basket(bundle(sent), selections))
    chart(basket=basket(bundle(a_draft() | (sent if isinstance(sent, dict) else {})), selections))


@given(st.binary(max_size=60))
def test_no_bytes_whatever_they_are_raise(raw):
    assert isinstance(read_basket(raw, None), Basket)
