"""The audit stream: who asked about which patient, one FHIR R4 AuditEvent a line (R14).

After the pattern "Query" of IHE Basic Audit Log Patterns 1.1 (PatientQuery): the caller is the source, this service the
destination, the user who will read the cards a third agent; the patient, the query and the correlation id are entities.
It is apart from the log, which knows no patient: a file of its own, with a retention of its own. A hook never waits for
it: events go through a bounded queue, and what cannot be written is counted.

Of the query only the address is told. The body of a hook call holds the record itself and a token, and the pattern
wants what was asked, not what was known.
"""

import base64
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import msgspec

from service.errors import BadSettings
from service.store.writer import Writer

STDERR: Final = "stderr"
MOST_WAITING: Final = 5_000  # events of one process; about 2 MB

_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_ENTITY = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
_PROFILE = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientQuery"
_SUCCESS, _MINOR, _SERIOUS = "0", "4", "8"  # http://terminology.hl7.org/CodeSystem/audit-event-outcome
_MASKED: Final[Mapping[str, Any]] = {
    "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}]
}


class Audited(msgspec.Struct, frozen=True):
    """What the stream tells of one hook call. ``peer``: the address of the machine that called, as TCP knows it.

    ``patient_id``: the bare id; ``user``: a reference, Type/id, or "".
    """

    at: datetime
    service: str
    client: str
    peer: str
    patient_id: str
    user: str
    status: int
    correlation_id: str


class AuditTrail:
    """Writes events to a file or a stream, in another thread. Made once per process."""

    def __init__(self, append: Callable[[bytes], None], *, full: bool, address: str) -> None:
        """``full``: with patient and user. ``address``: how callers reach this service."""
        self._append, self._full, self._address = append, full, address
        self._writer = Writer[Audited](self._write, MOST_WAITING, "audit")

    def take(self, event: Audited) -> None:
        """Take an event, or count it as dropped. Returns at once and never raises."""
        self._writer.add((event,))

    @property
    def dropped(self) -> int:
        """Events that this process could not write."""
        return self._writer.dropped

    def close(self) -> None:
        """Write what waits, within seconds."""
        self._writer.close()

    def _write(self, events: Sequence[Audited]) -> None:
        lines = (msgspec.json.encode(self.event(one)) for one in events)
        self._append(b"".join(line + b"\n" for line in lines))

    def event(self, one: Audited) -> dict[str, Any]:
        """The AuditEvent of a call."""
        agents = [
            {
                "type": _concept(_DICOM, "110153", "Source Role ID"),
                "who": {"identifier": {"value": one.client}},
                "requestor": False,
                "network": {"address": one.peer or "unknown", "type": "2"},
            },
            {
                "type": _concept(_DICOM, "110152", "Destination Role ID"),
                "who": {"identifier": {"value": "muscle-cds"}},
                "requestor": False,
                "network": {"address": self._address, "type": "5"},
            },
        ]
        if one.user:
            agents.append(
                {
                    "type": _concept(
                        "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP", "information recipient"
                    ),
                    "who": {"reference": one.user} if self._full else _MASKED,
                    "requestor": True,
                }
            )
        asked = f"POST /cds-services/{one.service}"
        return {
            "resourceType": "AuditEvent",
            **({"meta": {"profile": [_PROFILE]}} if one.status == HTTPStatus.OK else {}),
            "type": _coding("http://terminology.hl7.org/CodeSystem/audit-event-type", "rest", "RESTful Operation"),
            "subtype": [_coding("http://hl7.org/fhir/restful-interaction", "operation", "operation")],
            "action": "E",
            "recorded": one.at.isoformat(timespec="milliseconds"),
            "outcome": _outcome(one.status),
            "agent": agents,
            "source": {
                "observer": {"identifier": {"value": "muscle-cds"}},
                "type": [
                    _coding("http://terminology.hl7.org/CodeSystem/security-source-type", "4", "Application Server")
                ],
            },
            "entity": [
                {
                    "what": {"reference": f"Patient/{one.patient_id}"} if self._full else _MASKED,
                    "type": _coding(_ENTITY, "1", "Person"),
                    "role": _coding(_ROLE, "1", "Patient"),
                },
                {
                    "type": _coding(_ENTITY, "2", "System Object"),
                    "role": _coding(_ROLE, "24", "Query"),
                    "description": asked,
                    "query": base64.b64encode(asked.encode()).decode(),
                },
                {
                    "what": {"identifier": {"value": one.correlation_id}},
                    "type": _coding("https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType", "XrequestId"),
                },
            ],
        }


def appender(place: str, *, check: bool = True) -> Callable[[bytes], None]:
    """What appends to a file, or to standard error for "stderr".

    The file is made with mode 600, and opened again if it was moved away, so that it can be rotated by renaming. Each
    batch is one write, so that lines of several workers do not mix. ``check``: raises BadSettings if it cannot be
    opened now; what appends raises OSError.
    """
    if place == STDERR:
        return lambda lines: _write_all(sys.stderr.fileno(), lines)
    file = _File(Path(place).absolute())
    if check:
        try:
            file.check()
        except OSError as why:
            raise BadSettings(f"audit_file cannot be written ({type(why).__name__}).") from None
    return file.append


class _File:
    """A file that is opened for appending when it is first needed, by the one thread that writes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def check(self) -> None:
        """Raise OSError if it cannot be appended to."""
        os.close(self._opened())

    def append(self, lines: bytes) -> None:
        if self._descriptor >= 0 and not self._is_in_place():
            with suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = -1
        if self._descriptor < 0:
            self._descriptor = self._opened()
        left = lines
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError:
            self._take_back(len(lines) - len(left))
            raise

    def _take_back(self, written: int) -> None:
        """Lines that were written in part count as dropped. Half of one would spoil the first that fits again."""
        with suppress(OSError):
            end = os.lseek(self._descriptor, 0, os.SEEK_CUR)
            if end == os.fstat(self._descriptor).st_size:  # no other worker has written behind it
                os.ftruncate(self._descriptor, end - written)

    def _opened(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _is_in_place(self) -> bool:
        try:
            there, ours = self._path.stat(), os.fstat(self._descriptor)
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


def _write_all(descriptor: int, lines: bytes) -> None:
    while lines:
        lines = lines[os.write(descriptor, lines) :]


def _outcome(status: int) -> str:
    if status == HTTPStatus.OK:
        return _SUCCESS
    return _SERIOUS if status == HTTPStatus.INTERNAL_SERVER_ERROR else _MINOR


def _coding(system: str, code: str, display: str = "") -> dict[str, str]:
    return {"system": system, "code": code} | ({"display": display} if display else {})


def _concept(system: str, code: str, display: str) -> dict[str, Any]:
    return {"coding": [_coding(system, code, display)]}
