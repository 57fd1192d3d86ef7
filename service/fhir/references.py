"""Whose resource is it, and which resource does a reference mean (rule R12, HZ11, specification 3.8 no. 7)."""

from typing import Any

from service.fhir.elements import contained, member, words
from service.fhir.resource import Resource, opened
from terminology.closed import Closed


class Whose(Closed):
    """What a resource's own reference proves."""

    OURS = "the patient's"
    FOREIGN = "another patient's"
    UNPROVEN = "it does not say whose it is"


def target(reference: Any) -> str:
    """The text of a Reference, of R5's CodeableReference, or of a plain string; "" if there is none."""
    if isinstance(reference, str):
        return reference.strip()
    inner = member(reference, "reference")
    return words(member(inner, "reference")) or words(inner)


def type_and_id(reference: str) -> tuple[str, str]:
    """Type and id of a relative, absolute or versioned reference; the type is "" for ``urn:uuid:`` and a lone id."""
    if reference.startswith("urn:"):
        return "", reference.rpartition(":")[2]
    parts = reference.split("/_history/", 1)[0].rstrip("/").split("/")
    return (parts[-2] if len(parts) > 1 else "", parts[-1])


def whose(resource: Resource, patient_id: str) -> Whose:
    """Whether the resource's subject (or patient) is the patient, whatever form the reference takes.

    Every reference of ``subject`` and ``patient`` must be the patient's. One that names nobody we can tell apart (a
    contained Patient with an id of its own, an unknown ``urn:``, only an identifier) proves nothing.
    """
    found = Whose.UNPROVEN
    for value in (opened(resource.subject), opened(resource.patient)):
        for one in value if isinstance(value, list) else (value,):
            if one is None:
                continue
            match _owner(target(one), resource.contained, patient_id):
                case Whose.FOREIGN:
                    return Whose.FOREIGN
                case Whose.UNPROVEN:
                    return Whose.UNPROVEN
                case Whose.OURS:
                    found = Whose.OURS
    return found


def _owner(reference: str, inside: Any, patient_id: str) -> Whose:
    if reference.startswith("#"):
        named = contained(inside, reference[1:], "Patient")
        return Whose.OURS if named is not None and reference[1:] == patient_id else Whose.UNPROVEN
    kind, identity = type_and_id(reference)
    if kind in ("Patient", "") and identity and identity == patient_id:
        return Whose.OURS
    if kind == "" or "?" in reference:
        return Whose.UNPROVEN
    return Whose.FOREIGN
