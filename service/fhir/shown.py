"""Record text made safe to show in a card (rule R11, HZ30): the only way text of a record reaches a clinician."""

import re
import unicodedata
from typing import Final

LONGEST: Final = 120
"""Characters of record text that are shown (rule R11)."""

_READ: Final = 4 * LONGEST  # what lies beyond cannot be shown, so it is not worked on
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9 ,;()/%+^'-]*(?:\.[0-9][A-Za-z0-9 ,;()/%+^'-]*)*")
_SIGNS: Final = frozenset(" .,;()/%+^'µ-")
_LIKE: Final = str.maketrans(
    {
        "\N{GREEK SMALL LETTER MU}": "µ",  # NFKC makes this of the micro sign
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{LEFT SINGLE QUOTATION MARK}": "'",
        "\N{EN DASH}": "-",
        "\N{HYPHEN}": "-",
        "\N{MINUS SIGN}": "-",
        "\N{FRACTION SLASH}": "/",  # NFKC makes 1, this and 2 of a half
    }
)
_FRACTION: Final = re.compile("[\u00bc-\u00be\u2150-\u215e\u2189]")
_RAISED: Final = re.compile(r"(?<=\d)[\u00b2\u00b3\u00b9\u2070\u2074-\u207b]+")
_LIST_MARK: Final = re.compile(r"\A(\d+)[.)](?=\s|\Z)")
_LINKING_DOT: Final = re.compile(r"\.(?=[^\W\d_])")
_LINKING_WORD: Final = re.compile(r"ww(?=w)", re.IGNORECASE)  # GitHub's Markdown links "www." even before a space


def shown(text: str) -> str:
    """The text as it may stand inside a sentence of a card, at most 120 characters; "" if nothing is left (R11).

    NFKC, by which no number may become another: two and a half is ``2 1/2``, ten to the ninth ``10^9``. Control and
    format characters out; letters, digits, space and ``.,;()/%+^'µ-`` only, anything else is a space; ``www`` and a dot
    before a letter are broken by a space, so that no renderer makes a link of them, also where a sentence of ours goes
    on with a full stop (F23). What would begin a list is cut from its beginning, because the text may stand first in an
    item of ours: ``- item`` is ``item``, and ``1. item`` is ``1 item``.
    """
    if len(text) <= LONGEST and _PLAIN.fullmatch(text) and "  " not in text and "www" not in text.lower():
        return text.strip()  # as nearly all is: nothing of the below would change it
    apart = _RAISED.sub(r"^\g<0>", _FRACTION.sub(r" \g<0>", text[:_READ]))
    folded = unicodedata.normalize("NFKC", apart.replace("\n", " ").replace("\r", " ").replace("\t", " "))
    kept = "".join(
        sign if sign in _SIGNS or sign.isalpha() or sign.isdecimal() else " "
        for sign in folded.translate(_LIKE)
        if unicodedata.category(sign) not in {"Cc", "Cf"}
    )
    broken = _LINKING_WORD.sub(r"\g<0> ", _LINKING_DOT.sub(". ", " ".join(kept.split())))
    return _LIST_MARK.sub(r"\1", broken.lstrip("-+ "))[:LONGEST].strip()
