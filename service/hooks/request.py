"""One hook request, read from the bytes of its body: lenient in all that does not decide whom and what it is about.

The gate is that of the least request a service can work with: ``hook``, ``hookInstance``, ``context.patientId``.
Everything else that is odd is left aside and the call is served. What is refused is told by a fixed sentence that
names the part and what to send; nothing that was sent is ever repeated (R1, R7).
"""

import json
import math
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

import msgspec

from cards.moment import Moment
from service.errors import BadCall, TooLarge
from service.hooks.draft_orders import DraftOrders, read_draft_orders
from service.hooks.services import Service

MAX_BODY = 4 * 1024 * 1024  # R7: 1,000 Observations are about 0.6 MB
TOO_LARGE = "The body is larger than 4 MiB: send fewer resources, or let this service search for them."
MAX_DEPTH = 64  # R7
MAX_MEMBERS = 1_000  # of one object of the envelope, and keys of prefetch; a resource has some dozens

_PATIENT_ID = re.compile(r"(?:Patient/)?(?!\.{1,2}\Z)([A-Za-z0-9_\-.]{1,256})")
_ENCOUNTER_ID = re.compile(r"(?:Encounter/)?(?!\.{1,2}\Z)([A-Za-z0-9_\-.]{1,256})")
_NOT_A_CLINICIAN = re.compile(r"(?:.*/)?(?:Patient|RelatedPerson)/[^/]+(?:/_history/[^/]*)?/?", re.DOTALL)
_USER = re.compile(r"(?:Practitioner|PractitionerRole|Patient|RelatedPerson)/[A-Za-z0-9\-.]{1,64}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class HookCall:
    """One call, as far as it was understood. ``token`` is for the FHIR server alone and lives as long as the call (F4).

    ``prefetch``: JSON text by key, not yet read. ``orders``: the unsigned orders, for the hooks that are about them.
    ``client``: the name of the proven caller, "" where callers are not told apart. ``user``: the reference of the user,
    as Type/id, for the audit stream alone; "" if none was sent in that form. ``oddities``: words from a fixed list, for
    the log.
    """

    service: Service
    patient_id: str
    encounter_id: str | None = None
    for_clinician: bool = True
    prefetch: Mapping[str, msgspec.Raw] = field(default_factory=dict, repr=False)
    fhir_server: str | None = None
    token: str | None = field(default=None, repr=False)
    orders: DraftOrders | None = None
    client: str = ""
    user: str = field(default="", repr=False)
    oddities: tuple[str, ...] = ()


class _Envelope(msgspec.Struct):
    """``prefetch`` is split into its members while the body is gone through: once, not twice."""

    hook: Any = None
    hookInstance: Any = None  # noqa: N815 -- the standard's own spelling, as are those below
    context: msgspec.Raw = msgspec.Raw(b"null")
    prefetch: dict[str, msgspec.Raw] | None = None
    fhirServer: Any = None  # noqa: N815
    fhirAuthorization: Any = None  # noqa: N815


class _LooseEnvelope(msgspec.Struct):
    """The same, where the prefetch is no JSON object."""

    hook: Any = None
    hookInstance: Any = None  # noqa: N815
    context: msgspec.Raw = msgspec.Raw(b"null")
    prefetch: msgspec.Raw = msgspec.Raw(b"null")
    fhirServer: Any = None  # noqa: N815
    fhirAuthorization: Any = None  # noqa: N815


class _Sent(msgspec.Struct):
    """Of a prefetched resource, what tells whose it is."""

    resourceType: Any = None  # noqa: N815 -- FHIR's own spelling
    id: Any = None


_ENVELOPE: Final = msgspec.json.Decoder(_Envelope)
_LOOSE_ENVELOPE: Final = msgspec.json.Decoder(_LooseEnvelope)
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_SENT: Final = msgspec.json.Decoder(_Sent)
_ANY: Final = msgspec.json.Decoder()


def parse(body: bytes, service: Service, client: str = "") -> HookCall:
    """The call that a body makes on a service. ``client``: the name of the proven caller, "" if nobody was proven.

    Raises BadCall if it is no hook request or not one for this service (requirements C2, C7, C8; T4, T5), TooLarge
    past the limit of R7.
    """
    envelope = _open(body)
    prefetch = envelope.prefetch or {}
    if len(prefetch) > MAX_MEMBERS:
        raise BadCall(_TOO_MANY)
    _refuse_depth_and_duplicates(body, prefetch)
    if not isinstance(envelope.hook, str) or not envelope.hook:
        raise BadCall("hook is missing: send the name of the hook that fired, as text.")
    if not isinstance(envelope.hookInstance, str) or not envelope.hookInstance:
        raise BadCall("hookInstance is missing: send a new UUID with every call, as text.")
    if envelope.hook != service.hook:
        raise BadCall(f"hook is not the one this service answers: it answers {service.hook}.")
    context = _members(envelope.context)
    if context is None:
        raise BadCall("context is missing or not a JSON object: send the context of the hook.")
    patient_id, odd_id = _patient_id(context)
    orders, odd_orders = None, ""
    if service.moment is Moment.ORDER:
        orders, odd_orders = read_draft_orders(context, service.hook)
    _refuse_another_patient(prefetch, patient_id)
    fhir_server, token = _fhir_access(envelope)
    user = _text(context, "userId")
    odd = (
        odd_id,
        "" if _UUID.fullmatch(envelope.hookInstance) else "hookInstance-not-uuid",
        _odd_user(user),
        odd_orders,
    )
    return HookCall(
        service=service,
        patient_id=patient_id,
        encounter_id=_encounter_id(context),
        for_clinician=_NOT_A_CLINICIAN.fullmatch(user) is None,
        prefetch=prefetch,
        fhir_server=fhir_server,
        token=token,
        orders=orders,
        client=client,
        user=user if _USER.fullmatch(user) else "",
        oddities=tuple(word for word in odd if word),
    )


def hook_named(body: bytes) -> str:
    """The hook a body names, "" if it names none. Raises as :func:`parse` does if it is no JSON object."""
    hook = _open(body).hook
    return hook if isinstance(hook, str) else ""


def depth(body: bytes) -> int:
    """How deep the JSON in ``body`` is nested, counted up to MAX_DEPTH + 1. Exact for well-formed JSON.

    The innermost brackets are taken away again and again, with a few passes of bytes methods.
    """
    if b"\\" in body:
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    kept = body.translate(_BRACKETS, _ALL_BUT_BRACKETS_AND_QUOTES).replace(b'""', b"")
    if b'"' in kept:  # strings that hold brackets: every second part is inside one
        kept = b"".join(kept.split(b'"')[::2])
    levels = 0
    while kept and levels <= MAX_DEPTH:
        fewer = kept.replace(b"{}", b"")
        if len(fewer) == len(kept):  # brackets that do not match: the parser will say so
            return min(len(kept), MAX_DEPTH + 1)
        kept, levels = fewer, levels + 1
    return levels


_LOOKS: Final = 100  # for one piece; the first is right unless the text stands in another place too
_BRACKETS: Final = bytes.maketrans(b"[]", b"{}")
_ALL_BUT_BRACKETS_AND_QUOTES: Final = bytes(set(range(256)) - set(b'[]{}"'))
_TOO_MANY: Final = f"An object of the request has more than {MAX_MEMBERS} members: send it with fewer."
_NOT_JSON: Final = (
    "The body is not valid JSON: send one hook request as a JSON object, in UTF-8 without a byte order mark."
)
TOO_DEEP: Final = f"The body is nested deeper than {MAX_DEPTH} levels: leave out what lies deeper."


def _open(body: bytes) -> _Envelope:
    if len(body) > MAX_BODY:
        raise TooLarge(TOO_LARGE)
    if not body or body.isspace():
        raise BadCall("The body is empty: send one hook request as a JSON object.")
    if not body.isascii():
        try:
            body.decode("utf-8")
        except UnicodeDecodeError:
            raise BadCall("The body is not UTF-8: send JSON in UTF-8, without a byte order mark.") from None
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _ENVELOPE.decode(body)
    if depth(body) > MAX_DEPTH:
        raise BadCall(TOO_DEEP)
    try:
        loose = _LOOSE_ENVELOPE.decode(body)
    except msgspec.ValidationError:
        raise BadCall("The body is not a JSON object: send one hook request.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadCall(_NOT_JSON) from None
    return _Envelope(
        hook=loose.hook,
        hookInstance=loose.hookInstance,
        context=loose.context,
        prefetch=_members(loose.prefetch),
        fhirServer=loose.fhirServer,
        fhirAuthorization=loose.fhirAuthorization,
    )


def _members(raw: msgspec.Raw) -> dict[str, msgspec.Raw] | None:
    """The members of a JSON object, unread; None if it is none."""
    try:
        return _MEMBERS.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _text(context: Mapping[str, msgspec.Raw], name: str) -> str:
    """A text of the context; "" if it is absent or something else."""
    try:
        value = _ANY.decode(context.get(name, b"null"))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return value if isinstance(value, str) else ""


def _patient_id(context: Mapping[str, msgspec.Raw]) -> tuple[str, str]:
    """The bare id, and a word for the log if it was written as a reference (tolerated)."""
    if "patientId" not in context:
        raise BadCall("context.patientId is missing: send the bare id of the Patient.")
    text = _text(context, "patientId")
    match = _PATIENT_ID.fullmatch(text)
    if match is None:
        raise BadCall("context.patientId is not a FHIR id: send the bare id of the Patient, as text.")
    return match[1], "patientId-is-reference" if match[1] != text else ""


def _encounter_id(context: Mapping[str, msgspec.Raw]) -> str | None:
    match = _ENCOUNTER_ID.fullmatch(_text(context, "encounterId"))
    return match[1] if match else None


def _odd_user(user: str) -> str:
    if not user:
        return "userId-missing"
    return "" if "/" in user else "userId-without-type"


def _fhir_access(envelope: _Envelope) -> tuple[str | None, str | None]:
    """The FHIR base and the token for it. A token that is not plainly one is left out (C4, F5)."""
    server = envelope.fhirServer if isinstance(envelope.fhirServer, str) and envelope.fhirServer else None
    sent = envelope.fhirAuthorization
    if server is None or not isinstance(sent, dict):
        return server, None
    kind, token = sent.get("token_type"), sent.get("access_token")
    if isinstance(kind, str) and kind.lower() == "bearer" and isinstance(token, str) and token:
        return server, token
    return server, None


def _refuse_another_patient(prefetch: Mapping[str, msgspec.Raw], patient_id: str) -> None:
    """T4: a prefetched patient who is not the one of the context: nothing is evaluated."""
    try:
        sent = _SENT.decode(prefetch.get("patient", b"{}"))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return  # not a resource at all: the reader deals with it
    if sent.resourceType == "Patient" and isinstance(sent.id, str) and sent.id != patient_id:
        raise BadCall("prefetch.patient is not the Patient of context.patientId: send the same patient in both.")


def _refuse_depth_and_duplicates(body: bytes, sent: Mapping[str, msgspec.Raw]) -> None:
    """R7: what is nested beyond reason is not read, and a name given twice could be read in two ways, so in none.

    Only the envelope is looked at: the prefetched resources, nearly all of the body, are cut out first. A resource that
    is nested too deep costs itself alone, when it is read (R10). Where the cutting goes wrong, because a key is given
    twice or holds brackets, the whole body is looked at.
    """
    alone = _envelope_alone(body, sent)
    brackets = alone.count(b"{") + alone.count(b"[")
    if brackets > MAX_DEPTH and depth(alone) > MAX_DEPTH:  # with fewer it cannot be that deep
        raise BadCall(TOO_DEEP)
    try:
        seen = STRICT.decode(alone.decode())
    except (BadCall, ValueError):
        seen = None  # perhaps only because of the cuts
    if isinstance(seen, dict) and (not sent or _keys(seen.get("prefetch")) == set(sent)):
        return
    try:
        STRICT.decode(body.decode())
    except (ValueError, RecursionError):
        raise BadCall(_NOT_JSON) from None


def _envelope_alone(body: bytes, sent: Mapping[str, msgspec.Raw]) -> bytes:
    """The body with null for every prefetched object or list, in one pass: they stand in the order of their keys."""
    pieces: list[bytes] = []
    done = 0
    for raw in sent.values():
        piece = memoryview(raw)
        if piece[0] in b"{[":
            at = _find(body, piece, done)
            if at < 0:
                break
            pieces.append(body[done:at])
            done = at + len(piece)
    return b"null".join((*pieces, body[done:])) if pieces else body


def _keys(value: object) -> set[str] | None:
    return set(value) if isinstance(value, dict) else None


def _find(body: bytes, piece: memoryview, start: int) -> int:
    """Where a piece stands in the body from there on, -1 if nowhere.

    Searching for its beginning alone is much quicker, and so is comparing the rest without a copy of it. A body in
    which the beginning stands again and again was made to be slow: then the answer is nowhere.
    """
    beginning = piece[:64]
    at = body.find(beginning, start)
    for _ in range(_LOOKS):
        if at < 0 or body.startswith(piece, at):
            return at
        at = body.find(beginning, at + 1)
    return -1


def _finite(number: str) -> float:
    """A number with a point or an exponent, for json.loads. Raises BadCall if it is too large for one (F13)."""
    value = float(number)
    if math.isinf(value):
        raise BadCall("A number of the request is too large: send none beyond 1e308.")
    return value


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """The members of a JSON object, for json.loads. Raises BadCall if one is given twice, or there are too many."""
    if len(pairs) > MAX_MEMBERS:
        raise BadCall(_TOO_MANY)
    members = dict(pairs)
    if len(members) != len(pairs):
        raise BadCall("A member of the request is given twice: send each name once.")
    return members


def _no_constant(name: str) -> NoReturn:
    """For json.loads, which knows NaN and Infinity; JSON does not."""
    raise ValueError(name)


STRICT: Final = json.JSONDecoder(object_pairs_hook=_once, parse_float=_finite, parse_constant=_no_constant)
"""Reads JSON in which no name is given twice and every number is one, and not too large (R7). Made once: that takes as
long as a reading. Raises BadCall, ValueError or RecursionError."""
