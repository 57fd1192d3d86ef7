"""What the pipeline hands back to the route: the advice, and what may be said about the call in a log."""

from collections.abc import Mapping

import msgspec

from cards.card import Advice
from cards.entries import Area, Input


class Answer(msgspec.Struct, frozen=True):
    """The advice on one call, with the patient and encounter its drafts are for.

    ``drafts``: the draft orders of the call, as Type/id; a suggestion may take away one of these and nothing else (H9).
    ``late``: searches were still under way when the time for them was over.
    ``inputs``, ``unmapped`` (codes in no set, by part of the record) and ``of_others`` (entries of another patient, by
    part of the record) are for the access log; none holds anything of the patient (R14).
    """

    advice: Advice
    inputs: Mapping[Area, Input]
    unmapped: Mapping[Area, int]
    patient_id: str
    encounter_id: str | None = None
    drafts: frozenset[str] = frozenset()
    late: bool = False
    of_others: Mapping[Area, int] = {}
