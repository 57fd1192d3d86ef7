"""One FHIR resource as it came, cut down to the elements any rule needs (performance: the rest is never built).

Each type has a struct of its own with the few elements that are read of it: what is not listed is passed over, and the
shorter the list, the quicker it is searched for every member that comes. R4, R5, STU3 and DSTU2 spellings stand side
by side. Whatever type it is, asking for an element it does not have gives None, as for one that was not sent.

Every element is untyped on purpose: real records put objects where FHIR wants lists, and text where it wants numbers.
What an element holds is found out by the accessors in elements.py, which never raise.

Elements that are large, repeat from entry to entry, or are seldom asked for are kept as the JSON text they came in
(msgspec.Raw) and opened by the accessors when they are: that saves a quarter of the cost of a call.
"""

from decimal import Decimal
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

if TYPE_CHECKING:
    Later: TypeAlias = Any
else:
    Later = msgspec.Raw  # kept as text until it is opened; made by hand, as contained resources are, it is plain JSON


class Quantity(msgspec.Struct, frozen=True, gc=False):
    """A number with its unit: the members that are read. Each may hold anything."""

    value: Any = None
    unit: Any = None
    code: Any = None
    system: Any = None
    comparator: Any = None


if TYPE_CHECKING:
    MayBeQuantity: TypeAlias = Any
else:
    MayBeQuantity = Quantity | list[Any] | str | int | float | bool | None  # of a component it is plain JSON


class Resource(msgspec.Struct, frozen=True, gc=False):
    """Any resource. An absent element, or one its type does not have, is None."""

    if TYPE_CHECKING:  # at run time they are None, below, but where a type has them

        def __getattr__(self, name: str) -> Any: ...


class _Typed(Resource, frozen=True, gc=False, tag=True, tag_field="resourceType"):
    """A resource of a type we read: the name of the class is its ``resourceType``. These elements many types have."""

    id: Any = None
    meta: Later = None
    contained: Any = None
    status: Any = None
    code: Later = None
    subject: Later = None
    patient: Any = None
    modifierExtension: Any = None  # noqa: N815 -- FHIR's own spelling, as are all below


class Patient(_Typed, frozen=True, gc=False):
    """The patient."""

    extension: Later = None
    gender: Any = None
    birthDate: Any = None  # noqa: N815
    deceasedBoolean: Any = None  # noqa: N815
    deceasedDateTime: Any = None  # noqa: N815


class Observation(_Typed, frozen=True, gc=False):
    """A result or a finding."""

    effectiveDateTime: Any = None  # noqa: N815
    effectivePeriod: Any = None  # noqa: N815
    effectiveInstant: Any = None  # noqa: N815
    issued: Any = None
    valueQuantity: MayBeQuantity = None  # noqa: N815
    valueCodeableConcept: Any = None  # noqa: N815
    valueString: Any = None  # noqa: N815
    valueBoolean: Any = None  # noqa: N815
    valueInteger: Any = None  # noqa: N815
    valueRange: Any = None  # noqa: N815
    valueRatio: Any = None  # noqa: N815
    dataAbsentReason: Any = None  # noqa: N815
    interpretation: Any = None
    note: Later = None
    comment: Any = None
    comments: Any = None
    specimen: Later = None
    referenceRange: Later = None  # noqa: N815
    component: Any = None


class Specimen(_Typed, frozen=True, gc=False):
    """The sample of a result."""

    condition: Any = None


class Condition(_Typed, frozen=True, gc=False):
    """A problem."""

    clinicalStatus: Later = None  # noqa: N815
    verificationStatus: Later = None  # noqa: N815
    severity: Later = None
    onsetDateTime: Any = None  # noqa: N815
    onsetPeriod: Any = None  # noqa: N815
    abatementDateTime: Any = None  # noqa: N815
    abatementPeriod: Any = None  # noqa: N815
    abatementBoolean: Any = None  # noqa: N815
    abatementAge: Any = None  # noqa: N815
    abatementString: Any = None  # noqa: N815
    abatementRange: Any = None  # noqa: N815
    recordedDate: Any = None  # noqa: N815
    assertedDate: Any = None  # noqa: N815
    dateRecorded: Any = None  # noqa: N815


class Encounter(_Typed, frozen=True, gc=False):
    """A contact, with its reasons."""

    period: Any = None
    actualPeriod: Any = None  # noqa: N815
    reasonCode: Any = None  # noqa: N815
    reason: Any = None


class Procedure(_Typed, frozen=True, gc=False):
    """Something that was done."""

    performedDateTime: Any = None  # noqa: N815
    performedPeriod: Any = None  # noqa: N815
    occurrenceDateTime: Any = None  # noqa: N815
    occurrencePeriod: Any = None  # noqa: N815
    notDone: Any = None  # noqa: N815
    notPerformed: Any = None  # noqa: N815


class _Medicine(_Typed, frozen=True, gc=False):
    """A medicine taken or prescribed: records mix the spellings of both."""

    intent: Any = None
    medicationCodeableConcept: Later = None  # noqa: N815
    medicationReference: Any = None  # noqa: N815
    medication: Any = None
    effectiveDateTime: Any = None  # noqa: N815
    effectivePeriod: Any = None  # noqa: N815
    authoredOn: Any = None  # noqa: N815
    dateWritten: Any = None  # noqa: N815
    dateEnded: Any = None  # noqa: N815
    reasonCode: Later = None  # noqa: N815
    reasonCodeableConcept: Later = None  # noqa: N815
    reasonForUseCodeableConcept: Later = None  # noqa: N815
    reasonReference: Any = None  # noqa: N815
    reason: Any = None
    dosage: Later = None
    dosageInstruction: Later = None  # noqa: N815
    dispenseRequest: Any = None  # noqa: N815
    doNotPerform: Any = None  # noqa: N815
    taken: Any = None
    wasNotTaken: Any = None  # noqa: N815
    wasNotGiven: Any = None  # noqa: N815
    adherence: Any = None


class MedicationStatement(_Medicine, frozen=True, gc=False):
    """A medicine that is or was taken."""


class MedicationRequest(_Medicine, frozen=True, gc=False):
    """A prescription."""


class MedicationOrder(_Medicine, frozen=True, gc=False):
    """DSTU2: a prescription."""


class MedicationPrescription(_Medicine, frozen=True, gc=False):
    """DSTU1: a prescription."""


class Medication(_Typed, frozen=True, gc=False):
    """What a medicine is made of."""

    ingredient: Any = None
    product: Any = None


class ServiceRequest(_Typed, frozen=True, gc=False):
    """A test or referral asked for."""

    intent: Any = None
    doNotPerform: Any = None  # noqa: N815
    authoredOn: Any = None  # noqa: N815
    orderedOn: Any = None  # noqa: N815
    dateSent: Any = None  # noqa: N815
    date: Any = None
    event: Any = None
    item: Any = None
    serviceRequested: Any = None  # noqa: N815
    specialty: Any = None
    type: Any = None
    reasonCode: Any = None  # noqa: N815
    reasonCodeableConcept: Any = None  # noqa: N815
    reasonReference: Any = None  # noqa: N815
    reason: Any = None


class ReferralRequest(ServiceRequest, frozen=True, gc=False):
    """STU3 and DSTU2 of the same."""


class ProcedureRequest(ServiceRequest, frozen=True, gc=False):
    """STU3 and DSTU2 of the same."""


class DiagnosticOrder(ServiceRequest, frozen=True, gc=False):
    """DSTU2 of the same."""


class AllergyIntolerance(_Typed, frozen=True, gc=False):
    """What is not tolerated."""

    clinicalStatus: Any = None  # noqa: N815
    verificationStatus: Any = None  # noqa: N815
    substance: Any = None
    reaction: Any = None


class FamilyMemberHistory(_Typed, frozen=True, gc=False):
    """What a relative has or had."""

    relationship: Any = None
    condition: Any = None
    notDone: Any = None  # noqa: N815


class OperationOutcome(_Typed, frozen=True, gc=False):
    """What a server says about its answer."""

    issue: Any = None


class OtherResource(Resource, frozen=True, gc=False):
    """A resource of a type that is not read, or of none."""

    resourceType: Any = None  # noqa: N815
    id: Any = None
    contained: Any = None


_TYPES: Final[tuple[type[_Typed], ...]] = (
    *(Patient, Observation, Specimen, Condition, Encounter, Procedure),
    *(MedicationStatement, MedicationRequest, MedicationOrder, MedicationPrescription, Medication),
    *(ServiceRequest, ReferralRequest, ProcedureRequest, DiagnosticOrder),
    *(AllergyIntolerance, FamilyMemberHistory, OperationOutcome),
)
_BY_NAME: Final = {one.__name__: one for one in _TYPES}

_ALL: Final[tuple[type[Resource], ...]] = (*_TYPES, OtherResource)
for _type in _ALL:
    for _name in _type.__struct_fields__:
        setattr(Resource, _name, None)
for _name, _type in _BY_NAME.items():
    setattr(_type, "resourceType", _name)  # noqa: B010 -- no field of theirs: it is what chose the class

READ: Final[frozenset[type[Resource]]] = frozenset(_TYPES) - {OperationOutcome}
"""The types that hold data of a record."""

if TYPE_CHECKING:
    Typed: TypeAlias = Resource
else:
    Typed = reduce(or_, _TYPES)
"""A resource of any of the types that are read, for a decoder: the only kind that is decoded in one pass."""


def from_json(raw: bytes | msgspec.Raw) -> Resource:
    """One resource from its JSON text; decimal numbers as Decimal, and NaN for one greater than any.

    Raises msgspec.MsgspecError if it is not a JSON object, RecursionError if it is nested too deep.
    """
    try:
        return _decoded(raw)
    except msgspec.ValidationError:
        other = _OTHER.decode(raw)
        if isinstance(other.resourceType, str) and other.resourceType in _BY_NAME:
            raise  # it is of a type that is read, and cannot be read
        return other


def _decoded(raw: bytes | msgspec.Raw) -> Resource:
    try:
        return _DECODER.decode(raw)
    except ArithmeticError:
        return _DECODER_OF_ODD_NUMBERS.decode(raw)


def from_object(value: Any) -> Resource:
    """One resource from parsed JSON, such as a contained one. Raises msgspec.ValidationError if it is no object."""
    if not isinstance(value, dict):
        raise msgspec.ValidationError("Expected `object`")
    kind = value.get("resourceType")
    made: type[Resource] = _BY_NAME.get(kind, OtherResource) if isinstance(kind, str) else OtherResource
    return made(**{name: value[name] for name in value.keys() & set(made.__struct_fields__)})


def quantity(value: Any) -> Quantity | None:
    """A Quantity, also where it came as plain JSON; None if the value is none."""
    if type(value) is Quantity:
        return value
    if type(value) is dict:
        return Quantity(*map(value.get, Quantity.__struct_fields__))
    return None


def opened(value: Any) -> Any:
    """An element as plain JSON, also if it was kept as text; None if the text is nested too deep to be opened, or is
    not UTF-8. A number greater than any Decimal (1e9999999999999999999) is NaN, which no reader takes for a number.
    """
    if type(value) is not msgspec.Raw:
        return value
    try:
        return _ANY.decode(value)
    except ArithmeticError:
        return _with_odd_numbers(value)
    except _UNREADABLE:
        return None


def _with_odd_numbers(text: msgspec.Raw) -> Any:
    try:
        return _ODD_NUMBERS.decode(text)
    except _UNREADABLE:
        return None


def _decimal(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except ArithmeticError:
        return Decimal("NaN")


_UNREADABLE: Final = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)
_ANY = msgspec.json.Decoder(float_hook=Decimal)
_ODD_NUMBERS = msgspec.json.Decoder(float_hook=_decimal)
_DECODER: Final[msgspec.json.Decoder[Resource]] = msgspec.json.Decoder(Typed, float_hook=Decimal)
_DECODER_OF_ODD_NUMBERS: Final[msgspec.json.Decoder[Resource]] = msgspec.json.Decoder(Typed, float_hook=_decimal)
_OTHER = msgspec.json.Decoder(OtherResource, float_hook=_decimal)
