"""The compact index: everything a running service needs of the tables, in one file that is read quickly.

Codes that mean the same stand together in one string, parted by spaces, and become look-up entries in one step. The
codes of medicines, four fifths of all, are numbers and stand apart in the order of their size, ten bytes each: so they
are kept and looked up as they are. The file is made by build.py and never edited by hand.
"""

import hashlib
from typing import Any, Final

import msgspec

from terminology.errors import BadContent

#: Raised by one when the layout changes, so that an index of another release is refused rather than misread.
FORMAT: Final = 2


class RowMeaning(msgspec.Struct, frozen=True, array_like=True):
    """What a row says that its code stands for, and the licence it is under.

    ``how``: exact or descendant-sample of results, problems and orders; code or brand of medicines.
    """

    licence: str
    concept: str
    how: str


class Group(msgspec.Struct, frozen=True, array_like=True):
    """Codes of one system that all mean the same.

    ``about``: result, excluded, problem, not-problem, order or medicine. ``codes`` is "" where they are numbers that
    stand in :class:`Numbers`.
    """

    about: str
    system: str
    means: tuple[RowMeaning, ...]
    codes: str


class Numbers(msgspec.Struct, frozen=True):
    """The codes of medicines in one system, smallest first, and for each which of the groups of the content it is in.

    ``codes``: eight bytes each; ``groups``: two bytes each, counted from 0. The lowest byte stands first.
    """

    codes: bytes
    groups: bytes


class Name(msgspec.Struct, frozen=True, array_like=True):
    """Words that name a medicine, its ingredients, and the licences it may be known under ("" is our own word)."""

    words: str
    ingredients: tuple[str, ...]
    licences: tuple[str, ...]


class Offer(msgspec.Struct, frozen=True, array_like=True):
    """The coding to send for an order concept in one system."""

    concept: str
    uri: str
    code: str
    display: str
    licence: str


class AnalyteEntry(msgspec.Struct, frozen=True):
    """One analyte; numbers as text, so that they stay decimal. A range is (low, high); "" is open."""

    name: str
    title: str
    groups: tuple[str, ...]
    unit: str
    places: int
    plausible: tuple[str, str]
    limits: tuple[str, str] | None
    limits_male: tuple[str, str] | None
    limits_female: tuple[str, str] | None
    conversions: dict[str, str]


class IndexContent(msgspec.Struct, frozen=True):
    """What the tables say. ``systems``: every address of a known code system -> its short id. ``medicines``: by short
    id.
    """

    version: str
    systems: dict[str, str]
    licences: tuple[str, ...]
    groups: tuple[Group, ...]
    medicines: dict[str, Numbers]
    names: tuple[Name, ...]
    offers: tuple[Offer, ...]
    classes: dict[str, tuple[str, ...]]
    titles: dict[str, str]
    analytes: tuple[AnalyteEntry, ...]


class _File(msgspec.Struct, frozen=True):
    format: int
    content_hash: str
    content: msgspec.Raw


_DECODE_FILE: Final = msgspec.json.Decoder(_File)
_DECODE_CONTENT: Final = msgspec.json.Decoder(IndexContent)
_REBUILD: Final = "Run 'muscle-cds terminology build', or restore the file from the release."


def encode(content: IndexContent) -> bytes:
    """The bytes of the index file, a line per entry; the same content always gives the same bytes."""
    fields = [_quote(name) + b":" + _lines(getattr(content, name)) for name in content.__struct_fields__]
    raw = b"{" + b",\n".join(fields) + b"}"
    head = msgspec.json.encode({"format": FORMAT, "content_hash": hashlib.sha256(raw).hexdigest()})
    return head[:-1] + b',\n"content":' + raw + b"}\n"


_quote: Final = msgspec.json.encode


def _lines(value: Any) -> bytes:
    match value:
        case tuple():
            return b"[\n" + b",\n".join(map(_quote, value)) + b"\n]"
        case dict():
            return b"{\n" + b",\n".join(_quote(key) + b":" + _quote(item) for key, item in value.items()) + b"\n}"
        case _:
            return _quote(value)


def decode(data: bytes) -> tuple[IndexContent, str]:
    """The content of an index file and its SHA-256. Raises BadContent if the file is damaged or of another release."""
    try:
        file = _DECODE_FILE.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise BadContent(f"terminology/index.json: it is not an index of this release. {_REBUILD}") from None
    if file.format != FORMAT:
        raise BadContent(f"terminology/index.json: format {file.format} where {FORMAT} is needed. {_REBUILD}")
    if hashlib.sha256(file.content).hexdigest() != file.content_hash:
        raise BadContent(f"terminology/index.json: its content does not match its hash. {_REBUILD}")
    return _DECODE_CONTENT.decode(file.content), file.content_hash
