"""Writes the generated reference pages anew: ``make docs``, or ``python -m service.reference`` at the root."""

from collections.abc import Mapping
from pathlib import Path

from cards.content import load_content
from cards.reference.clinical import clinical_content
from cards.reference.numbers import bands
from cards.reference.traceability import traceability
from terminology.vocabulary import load

FOLDER = Path("docs/reference")


def reference_pages() -> Mapping[str, str]:
    """The pages by file name. Raises BadContent if the content does not hold together."""
    content = load_content(load())
    return {
        "clinical-content.md": clinical_content(content),
        "traceability.md": traceability(content),
        "bands.md": bands(content),
    }


def write(folder: Path) -> None:
    """Write all pages into a folder, which is made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in reference_pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(FOLDER)
