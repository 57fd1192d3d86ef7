"""What a Medication is made of, in the spellings of four versions of FHIR (HZ14)."""

from collections.abc import Iterator
from typing import Any

from service.fhir.elements import contained, member, objects
from service.fhir.record import Record
from service.fhir.references import target
from service.fhir.resource import Resource


def ingredients_of(medication: Resource, inside: Any, record: Record) -> Iterator[Any]:
    """The concepts that name its ingredients, and words where there is no more.

    R4 and STU3 ``ingredient.itemCodeableConcept``, R5 ``ingredient.item.concept``; or a reference to what the
    ingredient is, with words beside it: R4 and STU3 ``itemReference``, R5 ``item.reference``, DSTU2
    ``product.ingredient.item``. ``inside``: the contained resources that such a reference may mean.
    """
    for ingredient in _ingredients(medication):
        yield from objects(ingredient.get("itemCodeableConcept"))
        item = ingredient.get("item")
        yield from objects(member(item, "concept"))
        for reference in (ingredient.get("itemReference"), item):
            yield _referred_to(target(reference), inside, record)
            yield {"text": member(reference, "display")}
            yield {"text": member(member(reference, "reference"), "display")}


def references_of(medication: Resource) -> Iterator[str]:
    """The references to what its ingredients are; "" for an ingredient that has none."""
    for ingredient in _ingredients(medication):
        yield target(ingredient.get("itemReference"))
        yield target(ingredient.get("item"))


def _ingredients(medication: Resource) -> Iterator[dict[str, Any]]:
    yield from objects(medication.ingredient)
    yield from objects(member(medication.product, "ingredient"))


def _referred_to(reference: str, inside: Any, record: Record) -> Any:
    """The code of the Medication, or of the contained Substance, that a reference means; None if there is none."""
    substance = contained(inside, reference[1:], "Substance") if reference.startswith("#") else None
    if substance is not None:
        return substance.get("code")
    medication = record.find(reference, "Medication", inside)
    return None if medication is None else medication.code
