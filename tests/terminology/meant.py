"""What codings mean to a vocabulary, asked with Codings."""

from collections.abc import Iterable

from terminology.coding import Coding
from terminology.vocabulary import Meaning, Vocabulary


def meant(vocabulary: Vocabulary, codings: Iterable[Coding]) -> Meaning:
    return vocabulary.meaning([(coding.system, coding.code) for coding in codings])
