"""One FHIR resource as it came, cut down to the elements any rule needs (performance: the rest is never built).

Every element is untyped on purpose: real records put objects where FHIR wants lists, and text where it wants numbers.
What an element holds is found out by the accessors in elements.py, which never raise. R4, R5, STU3 and DSTU2
spellings stand side by side.

Elements that are large, repeat from entry to entry, or are seldom asked for are kept as the JSON text they came in
(msgspec.Raw) and opened by the accessors when they are: that saves a quarter of the cost of a call.
"""

from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

if TYPE_CHECKING:
    Later: TypeAlias = Any
else:
    Later = msgspec.Raw  # kept as text until it is opened; made by hand, as contained resources are, it is plain JSON


class Resource(msgspec.Struct, frozen=True, gc=False):
    """The elements read from any resource. An absent element is None."""

    resourceType: Any = None  # noqa: N815 -- FHIR's own spelling, as are all below
    id: Any = None
    meta: Later = None
    extension: Later = None
    contained: Any = None
    status: Any = None
    code: Later = None
    subject: Later = None
    patient: Any = None
    category: Later = None
    context: Any = None
    # Patient
    gender: Any = None
    birthDate: Any = None  # noqa: N815
    deceasedBoolean: Any = None  # noqa: N815
    deceasedDateTime: Any = None  # noqa: N815
    # Observation
    valueQuantity: Later = None  # noqa: N815
    valueString: Any = None  # noqa: N815
    valueBoolean: Any = None  # noqa: N815
    valueCodeableConcept: Any = None  # noqa: N815
    valueInteger: Any = None  # noqa: N815
    valueRange: Any = None  # noqa: N815
    valueRatio: Any = None  # noqa: N815
    dataAbsentReason: Any = None  # noqa: N815
    effectiveDateTime: Any = None  # noqa: N815
    effectivePeriod: Any = None  # noqa: N815
    effectiveInstant: Any = None  # noqa: N815
    issued: Any = None
    interpretation: Any = None
    referenceRange: Later = None  # noqa: N815
    component: Any = None
    hasMember: Any = None  # noqa: N815
    note: Later = None
    comment: Any = None
    comments: Any = None
    specimen: Any = None
    condition: Any = None  # Specimen.condition; FamilyMemberHistory.condition
    # Condition, AllergyIntolerance
    clinicalStatus: Any = None  # noqa: N815
    verificationStatus: Any = None  # noqa: N815
    severity: Any = None
    onsetDateTime: Any = None  # noqa: N815
    onsetPeriod: Any = None  # noqa: N815
    recordedDate: Any = None  # noqa: N815
    assertedDate: Any = None  # noqa: N815
    dateRecorded: Any = None  # noqa: N815
    abatementDateTime: Any = None  # noqa: N815
    abatementPeriod: Any = None  # noqa: N815
    abatementBoolean: Any = None  # noqa: N815
    abatementAge: Any = None  # noqa: N815
    abatementString: Any = None  # noqa: N815
    abatementRange: Any = None  # noqa: N815
    substance: Any = None
    type: Any = None
    # medicines
    medicationCodeableConcept: Later = None  # noqa: N815
    medicationReference: Any = None  # noqa: N815
    medication: Any = None
    intent: Any = None
    authoredOn: Any = None  # noqa: N815
    dateWritten: Any = None  # noqa: N815
    dateAsserted: Any = None  # noqa: N815
    dosage: Later = None
    dosageInstruction: Later = None  # noqa: N815
    dispenseRequest: Any = None  # noqa: N815
    reasonCode: Any = None  # noqa: N815
    reasonCodeableConcept: Any = None  # noqa: N815
    reasonForUseCodeableConcept: Any = None  # noqa: N815
    reason: Any = None
    wasNotTaken: Any = None  # noqa: N815
    wasNotGiven: Any = None  # noqa: N815
    taken: Any = None
    doNotPerform: Any = None  # noqa: N815
    ingredient: Any = None
    product: Any = None
    # orders, procedures, encounters, relatives
    occurrenceDateTime: Any = None  # noqa: N815
    performedDateTime: Any = None  # noqa: N815
    performedPeriod: Any = None  # noqa: N815
    occurrencePeriod: Any = None  # noqa: N815
    orderedOn: Any = None  # noqa: N815
    date: Any = None
    item: Any = None
    serviceRequested: Any = None  # noqa: N815
    period: Any = None
    actualPeriod: Any = None  # noqa: N815
    relationship: Any = None
    issue: Any = None  # OperationOutcome
    # spellings of R5, STU3 and DSTU2, and elements only one reader needs
    reaction: Any = None
    reasonReference: Any = None  # noqa: N815
    adherence: Any = None
    dateEnded: Any = None  # noqa: N815
    dateSent: Any = None  # noqa: N815
    specialty: Any = None
    event: Any = None
    notDone: Any = None  # noqa: N815
    notPerformed: Any = None  # noqa: N815


def from_json(raw: bytes | msgspec.Raw) -> Resource:
    """One resource from its JSON text; decimal numbers as Decimal.

    Raises msgspec.MsgspecError if it is not a JSON object, RecursionError if it is nested too deep.
    """
    return _DECODER.decode(raw)


def from_object(value: Any) -> Resource:
    """One resource from parsed JSON, such as a contained one. Raises msgspec.ValidationError if it is no object."""
    if not isinstance(value, dict):
        raise msgspec.ValidationError("Expected `object`")
    return Resource(**{name: value[name] for name in value.keys() & _NAMES})


def opened(value: Any) -> Any:
    """An element as plain JSON, also if it was kept as text; None if the text is nested too deep to be opened."""
    if type(value) is not msgspec.Raw:
        return value
    try:
        return _ANY.decode(value)
    except (msgspec.MsgspecError, RecursionError):
        return None


_NAMES = frozenset(Resource.__struct_fields__)
_ANY = msgspec.json.Decoder(float_hook=Decimal)
_DECODER = msgspec.json.Decoder(Resource, float_hook=Decimal)
