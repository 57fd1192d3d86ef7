"""One content for all tests of the cards: it never changes once it is loaded."""

from collections.abc import Callable

import pytest

from cards.advise import advise
from cards.card import Advice
from cards.content import Content, load_content
from cards.example_charts import chart_of
from cards.moment import Moment
from terminology.vocabulary import Vocabulary, load


@pytest.fixture(scope="session")
def content() -> Content:
    return load_content(load(), removal=True)  # with all that a sheet may say


@pytest.fixture(scope="session")
def vocabulary(content: Content) -> Vocabulary:
    return content.vocabulary


@pytest.fixture(scope="session")
def advised(content: Content) -> Callable[..., Advice]:
    """The advice for a chart given in lines of the worked examples."""

    def ask(**lines: str | list[str] | bool) -> Advice:
        return advise(chart_of(content.vocabulary, **lines), content)

    return ask


@pytest.fixture(scope="session")
def ordered(content: Content) -> Callable[..., Advice]:
    """The advice at the moment of ordering, for a chart given in the same lines with ``drafts``."""

    def ask(**lines: str | list[str] | bool) -> Advice:
        return advise(chart_of(content.vocabulary, **lines), content, Moment.ORDER)

    return ask
