"""F23: HTML, Markdown, links, addresses and control characters in record text never become more than words (R11, HZ30).

The cards of whole calls, with hostile text in every place where a record can hold one, are rendered by the stack of the
public CDS Hooks sandbox and two other renderers; the result is parsed, and only ``p``, ``strong``, ``em``, ``ul``,
``li`` and links of our own may stand in it. The renderers come from the npm registry (``make renderers``); without them
those tests are skipped.
"""

import json
import re
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from cards.card import LONGEST_SUMMARY
from service.fhir.shown import LONGEST, shown
from tests.contract.calls import address_of, all_parts, demo_settings, service
from tests.faults.hostile import FRAMES, HOSTILE, PAYLOADS, Json, everywhere, places, put, requests

FOLDER = Path(__file__).parent / "renderers"
ALLOWED = re.compile(r"[^\W_]|[ .,;()/%+^'µ-]")
LINKING = re.compile(r"www|\.[^\W\d_]|://|@", re.IGNORECASE)
LIST = re.compile(r"^- ([-+*>=_]|\d+[.)])(\s|$)", re.MULTILINE)
LINKS = sorted(source.url for source in all_parts().content.sources.values() if source.url)

hostile_texts = st.one_of(
    st.text(),
    st.sampled_from(HOSTILE),
    st.lists(st.sampled_from((*PAYLOADS, " ", "\n", "\u200b", "w", "ww.", ".", "a")), max_size=6).map("".join),
)


@given(hostile_texts)
def test_only_the_listed_signs_are_shown_and_nothing_that_links(text: str) -> None:
    safe = shown(text)

    assert all(ALLOWED.fullmatch(sign) or unicodedata.category(sign)[0] == "L" for sign in safe)
    assert not LINKING.search(safe)
    assert len(safe) <= LONGEST
    assert safe == safe.strip()
    assert "  " not in safe
    assert not LIST.search(f"- {safe}")


@given(hostile_texts)
def test_what_is_shown_once_is_shown_the_same_again(text: str) -> None:
    assert shown(shown(text)) == shown(text)


@given(st.from_regex(r"[A-Za-vx-z][A-Za-vx-z0-9 ,;()/%+'-]{0,100}", fullmatch=True))
def test_an_ordinary_name_is_shown_as_it_is(text: str) -> None:
    assert shown(text) == " ".join(text.split())


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("- item", "item"),
        ("+ item", "item"),
        ("- + - item", "item"),
        ("1. item", "1 item"),
        ("12) 3) item", "12 3) item"),
        ("- 1.", "1"),
        ("1.5 mg", "1.5 mg"),
        ("5-HTP (1)", "5-HTP (1)"),
        ("---", ""),
    ],
)
def test_what_begins_a_list_is_cut_from_the_beginning(text: str, safe: str) -> None:
    assert shown(text) == safe


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return service(demo_settings())


def tell(figure: str) -> None:
    """A figure for whoever reads the output (pytest -rP shows it)."""
    sys.stdout.write(f"F23: {figure}\n")


def said(client: FlaskClient, request: Json) -> tuple[str, ...]:
    """Detail, summary and labels of all cards; nothing where the call was refused, which is an answer too."""
    response = client.post(address_of(request), data=json.dumps(request))
    assert response.status_code in (200, 400, 412), response.text
    texts = []
    for card in response.get_json().get("cards", ()):
        assert len(card["summary"]) <= LONGEST_SUMMARY
        suggestions = card.get("suggestions", ())
        labels = [one["label"] for one in suggestions] + [a["description"] for s in suggestions for a in s["actions"]]
        texts += [card["detail"], card["summary"], *labels, card["source"]["label"]]
    return tuple(texts)


@pytest.fixture(scope="module")
def cards(client: FlaskClient) -> tuple[str, ...]:
    """The texts of cards from calls with hostile text everywhere at once, and in each place alone; each once."""
    texts: dict[str, None] = {}
    calls = list(requests())
    for number, text in enumerate(HOSTILE):
        texts |= dict.fromkeys(said(client, everywhere(calls[number % len(calls)], text, before=number % 2 == 0)))
    number = 0
    for call in calls[1::3]:
        for place in places(call):
            number += 1
            hostile = HOSTILE[number * 7 % len(HOSTILE)]
            both = (f"{{}} {hostile}", f"{hostile} {{}}")[number % 2]
            texts |= dict.fromkeys(said(client, put(call, place, lambda old, both=both: both.replace("{}", old))))
    tell(f"{len(HOSTILE)} hostile texts, {number} places; {len(HOSTILE) + number} calls, {len(texts)} texts of cards")
    return tuple(texts)


def test_the_calls_carry_record_text_into_the_cards(client: FlaskClient) -> None:
    """Else this module would prove nothing: a plain marker, put where the hostile texts are put, is shown."""
    reached = set()
    for call in list(requests())[3:5]:
        for place in places(call):
            texts = said(client, put(call, place, lambda old: f"{old} Zyxw"))
            if any("Zyxw" in text for text in texts):
                reached.add(".".join(str(step) for step in place[1:] if isinstance(step, str)))
    tell(f"places of record text that reach a card: {sorted(reached)}")

    assert {one.partition(".")[0] for one in reached} >= {"draftOrders", "medicationStatements", "results"}


def test_no_text_of_a_card_holds_more_than_our_own_marks(cards: tuple[str, ...]) -> None:
    """Without any renderer: no sign of HTML or of a link, no control character, and no line that record text begins."""
    assert len(cards) > len(HOSTILE)
    for text in cards:
        assert not re.search(r"[<>\[\]`|~#\\@{}]|://|www|javascript:", text, re.IGNORECASE)
        assert not [sign for sign in text if unicodedata.category(sign) in ("Cc", "Cf") and sign != "\n"]
        assert not LIST.search(text), "record text begins a line"


def rendered(texts: tuple[str, ...] | list[str]) -> dict[str, Any]:
    """What node says of these texts. Skips where node or the renderers are missing."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    if not (FOLDER / "node_modules").is_dir():
        pytest.skip("the renderers are not installed: make renderers (npm and a registry are needed once)")
    given_ = json.dumps({"texts": list(texts), "links": LINKS})
    done = subprocess.run(
        [node, "render.mjs"], cwd=FOLDER, input=given_, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def with_ids(request: Json, text: str) -> Json:
    """The same call, every resource of which but the patient has this id."""
    patient = f'"id": "{request["context"]["patientId"]}"'
    return json.loads(
        re.sub(r'"id": "[^"]+"', lambda id_: id_[0] if id_[0] == patient else f'"id": "{text}"', json.dumps(request))
    )


@pytest.mark.parametrize("text", ["www.evil.example", "WWW.EVIL.EXAMPLE", "a-www.evil.example", "a.wWw.evil.example"])
def test_an_id_that_a_renderer_would_make_a_link_of_is_not_printed(client: FlaskClient, text: str) -> None:
    """FHIR allows it as an id, and the sandbox's renderer links it behind the slash of ``Observation/``."""
    harmless, linking = (
        [one for call in requests() for one in said(client, with_ids(call, identity))] for identity in ("ww-1", text)
    )

    assert any("/ww-1" in one for one in harmless), "what a card rests on is named by its id"
    assert len(linking) == len(harmless)
    assert not [one for one in linking if "www" in one.lower()]


def test_three_renderers_make_nothing_live_of_the_cards(cards: tuple[str, ...]) -> None:
    found = rendered(cards)
    tell(f"{found['rendered']} renderings, elements met: {found['met']}")

    assert found["rendered"] == 3 * len(cards)
    assert {"p", "strong", "ul", "li"} <= set(found["met"]), "the details are Markdown and were rendered as such"
    assert [(cards[one["index"]], one["renderer"], one["found"]) for one in found["offences"]] == []


def test_the_renderers_are_dangerous_without_the_allow_list() -> None:
    """What this is all about: the same texts, unguarded, come alive in each of the three."""
    found = rendered([f"Potassium {payload} was found" for payload in PAYLOADS])
    alive = {name: {o["index"] for o in found["offences"] if o["renderer"] == name} for name in ("sandbox", "marked")}

    assert {o["renderer"] for o in found["offences"]} == {"sandbox", "markdown-it", "marked"}
    assert all(len(indices) > len(PAYLOADS) // 4 for indices in alive.values())
    assert any("<script>" in o["found"] for o in found["offences"])


def test_record_text_inside_a_sentence_is_dead_in_all_three() -> None:
    """The function alone, as a sentence holds it: every frame and payload."""
    texts = [f"- Found {shown(text)} here" if i % 2 else f"Found: {shown(text)}." for i, text in enumerate(HOSTILE)]
    found = rendered(texts)

    assert len(texts) == len(PAYLOADS) * len(FRAMES)
    assert found["offences"] == []
