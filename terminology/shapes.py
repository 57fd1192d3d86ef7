"""What a code of each code system looks like: its shape, and its check digit where the system has one."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

# The dihedral group D5 and the permutation of Verhoeff's scheme, which SNOMED CT and dm+d identifiers end with.
_MULTIPLY: Final = tuple(
    tuple(
        ((i + j) % 5 if j < 5 else 5 + (i + j) % 5) if i < 5 else (5 + (i - j) % 5 if j < 5 else (i - j) % 5)  # noqa: PLR2004 -- the group has two halves of five
        for j in range(10)
    )
    for i in range(10)
)
_PERMUTE_ONCE: Final = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def _permutations() -> tuple[tuple[int, ...], ...]:
    rows = [tuple(range(10))]
    for _ in range(7):
        rows.append(tuple(rows[-1][digit] for digit in _PERMUTE_ONCE))
    return tuple(rows)


_PERMUTE: Final = _permutations()

_SCTID: Final = re.compile(r"[1-9][0-9]{5,17}")
_LOINC: Final = re.compile(r"([0-9]{1,7})-([0-9])")
_RXCUI: Final = re.compile(r"[1-9][0-9]{0,7}")
_ATC: Final = re.compile(r"[A-Z][0-9]{2}[A-Z]{2}([0-9]{2})?")
_ICD10: Final = re.compile(r"[A-Z][0-9]{2}(\.?[0-9]{1,2})?")
_ICD10CM: Final = re.compile(r"[A-Z][0-9][0-9A-Z](\.?[0-9A-Z]{1,4})?")
_ICPC2: Final = re.compile(r"[A-Z][0-9]{2}")
_V2: Final = re.compile(r"[A-Z]{2,4}")


def is_sctid(code: str) -> bool:
    """Whether it can be a SNOMED CT or dm+d concept: 6 to 18 digits, concept partition (00 or 10), Verhoeff digit."""
    if _SCTID.fullmatch(code) is None or code[-3:-1] not in {"00", "10"}:
        return False
    check = 0
    for place, digit in enumerate(reversed(code)):
        check = _MULTIPLY[check][_PERMUTE[place % 8][int(digit)]]
    return check == 0


def is_loinc(code: str) -> bool:
    """Whether it can be a LOINC code: digits, a hyphen, and the mod-10 check digit."""
    match = _LOINC.fullmatch(code)
    if match is None:
        return False
    total = 0
    for place, digit in enumerate(reversed(match[1])):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled  # noqa: PLR2004 -- a two-digit product counts as its digit sum
    return (10 - total % 10) % 10 == int(match[2])


def _shape(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda code: pattern.fullmatch(code) is not None


#: The check of each code system, by the short id of value_sets/systems.csv. A system without a row here holds no codes.
SHAPES: Final[Mapping[str, Callable[[str], bool]]] = MappingProxyType(
    {
        "loinc": is_loinc,
        "snomed": is_sctid,
        "dmd": is_sctid,
        "rxnorm": _shape(_RXCUI),
        "atc": _shape(_ATC),
        "icd-10": _shape(_ICD10),
        "icd-10-cm": _shape(_ICD10CM),
        "icpc-2": _shape(_ICPC2),
        "v2-0493": _shape(_V2),
    }
)

#: Systems whose codes are compared without the dot (terminology rule 4; some records write R252 for R25.2).
WITHOUT_DOT: Final = frozenset({"icd-10", "icd-10-cm"})

#: dm+d identifiers are SNOMED CT identifiers, and records send them under either address (terminology rule 3).
ALIKE: Final[Mapping[str, str]] = MappingProxyType({"dmd": "snomed"})

#: Systems whose codes look like those of any other: without its system such a code is never looked up.
_NEVER_ALONE: Final = ("rxnorm", "v2-0493")


def normal(system: str, code: str) -> str:
    """The code as our look-up tables spell it: without the dot where the system is compared so."""
    return code.replace(".", "") if system in WITHOUT_DOT else code


def only_owner(code: str) -> str | None:
    """The one known code system that could own a code sent without its system, or None (architecture decision 4).

    A number of up to eight digits may be an RxNorm concept, a short SNOMED CT concept or anybody's local code, and a
    few capital letters may be anything, so neither ever counts.
    """
    if any(SHAPES[system](code) for system in _NEVER_ALONE):
        return None
    owners = {ALIKE.get(system, system) for system, fits in SHAPES.items() if fits(code)}
    return owners.pop() if len(owners) == 1 else None
