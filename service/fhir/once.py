"""Every resource counts once, however often it arrives (specification 3.8, HZ27)."""

from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from service.fhir.elements import member, words
from service.fhir.moments import moment
from service.fhir.resource import Resource, opened

_UTC: Final = ZoneInfo("UTC")


def each_once(arrived: list[Resource]) -> list[Resource]:
    """Resources of types that are read, every one once, although two queries may bring it.

    Of two versions of one resource the newer counts; all of them if that cannot be told. A resource without an id is
    known by its content.
    """
    try:
        if len({one.id for one in arrived}) == len(arrived):
            return arrived
    except TypeError:  # an id that is an object or a list
        pass
    known: dict[tuple[str, str], Resource] = {}
    versions: dict[tuple[str, str], dict[str, Resource]] = {}
    for one in arrived:
        kind, identity = one.resourceType, one.id
        key = (kind, identity) if type(identity) is str else (kind, f"#{_content(one)}")
        first = known.setdefault(key, one)
        if first is not one:
            versions.setdefault(key, {_content(first): first})[_content(one)] = one
    for key, different in versions.items():
        if len(different) > 1:
            del known[key]
            newest = max(_version(one) for one in different.values())
            for content in sorted(different):
                if _version(different[content]) == newest:
                    known[(key[0], f"{key[1]}#{content}")] = different[content]
    return list(known.values())


def _content(resource: Resource) -> str:
    """The content as text, the same for the same content."""
    try:
        elements = {name: opened(getattr(resource, name)) for name in resource.__struct_fields__}
        return msgspec.json.encode(elements, order="sorted").decode()
    except (UnicodeEncodeError, RecursionError, msgspec.MsgspecError):
        return f"{id(resource)}"  # text that is no Unicode: then it is like no other


def _version(resource: Resource) -> tuple[str, int, str]:
    """What tells versions of one resource apart, newest greatest: the time of the last change, then the number."""
    changed, number = moment(member(resource.meta, "lastUpdated"), _UTC), words(member(resource.meta, "versionId"))
    return "" if changed is None else changed.latest.isoformat(timespec="microseconds"), len(number), number
