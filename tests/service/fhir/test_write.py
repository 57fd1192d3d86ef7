import pytest
from fhir.resources.R4B import get_fhir_model_class

from cards.finding import Priority, Refer, RequestTest, ReviewMedicine
from service.fhir.write import draft
from tests.service.stand_ins import REFERRAL, REVIEW, TEST, StandInVocabulary

VOCABULARY = StandInVocabulary()


class WordsOnly(StandInVocabulary):
    def codings_for(self, _concept):
        return ()


@pytest.mark.parametrize("vocabulary", [VOCABULARY, WordsOnly()])
@pytest.mark.parametrize("encounter", [None, "enc-1"])
@pytest.mark.parametrize(
    "intent",
    [
        TEST,
        RequestTest("order-ck", "CK"),
        REFERRAL,
        Refer("refer-neurology", "Refer", Priority.ROUTINE),
        REVIEW,
        ReviewMedicine("Review", "", "MedicationRequest/9"),
    ],
)
def test_every_draft_is_valid_r4_and_loses_nothing(intent, encounter, vocabulary):
    made = draft(intent, "pat-1", encounter, vocabulary)

    read = get_fhir_model_class(made["resourceType"]).model_validate(made)

    assert read.model_dump(mode="json", exclude_none=True) == made
    assert made["status"] == "draft"


def test_a_test_is_a_draft_order_with_its_codes_words_and_reason():
    assert draft(TEST, "pat-1", None, VOCABULARY) == {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "priority": "routine",
        "code": {
            "coding": [
                {"system": "http://snomed.info/sct", "code": "55300003", "display": "Cramp (finding)"},
                {"system": "http://loinc.org", "code": "2157-6"},
            ],
            "text": "ck",
        },
        "reasonCode": [{"text": "No creatine kinase on record."}],
        "subject": {"reference": "Patient/pat-1"},
    }


def test_a_referral_carries_its_urgency_and_its_note():
    made = draft(REFERRAL, "pat-1", "enc-1", VOCABULARY)

    assert (made["priority"], made["note"]) == ("urgent", [{"text": "Do not delay for tests."}])
    assert made["encounter"] == {"reference": "Encounter/enc-1"}


def test_a_medicine_is_only_ever_to_be_reviewed():
    made = draft(REVIEW, "pat-1", None, VOCABULARY)

    assert (made["resourceType"], made["intent"]) == ("Task", "proposal")
    assert made["focus"] == {"reference": "MedicationStatement/m1"}
    assert made["for"] == {"reference": "Patient/pat-1"}
