"""A slip in the content that all cards share stops the start, and says file, line and what to do."""

from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest

from cards.bands import load_bands
from cards.content import Content, check
from cards.facts import load_facts
from cards.frame import load_frame
from cards.presentation import load_gatekeeper
from cards.red_flags import load_red_flags
from cards.screening import load_screen
from cards.toml_file import read_section, read_toml
from cards.topics import TOPICS
from cards.windows import load_windows
from terminology.errors import BadContent
from terminology.vocabulary import load

LOADED: dict[str, tuple[str, Callable[[], object]]] = {
    "bands.toml": ("cards.bands", lambda: load_bands(load().analytes)),
    "content.toml": ("cards.frame", load_frame),
    "fact_sheet.toml": ("cards.facts", load_facts),
    "presentation.toml": ("cards.presentation", load_gatekeeper),
    "red_flags.toml": ("cards.red_flags", load_red_flags),
    "screening.toml": ("cards.screening", load_screen),
    "windows.toml": ("cards.windows", load_windows),
}


def slipped(name: str, old: str, new: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the loader says of the file with one slip in it."""
    module, loaded = LOADED[name]
    text = (files("cards") / name).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    monkeypatch.setattr(f"{module}.files", lambda _package: tmp_path)
    with pytest.raises(BadContent) as refused:
        loaded()
    return str(refused.value)


BAND = '\n[[band]]\nanalyte = "potassium"\nside = "low"\nindicator = "critical"\nat_most = "2.2"\nsource = "x"\n'
FIRST = '[[band]]\nanalyte   = "potassium"'


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("bands.toml", FIRST, FIRST.replace("potassium", "potasium"), "no. 1, line 17: there is no analyte 'potasium'"),
        ("bands.toml", '"low"', '"lower"', "line 17: side should be low or high"),
        ("bands.toml", '"critical"', '"urgent"', "line 17: 'urgent' should be one of info, warning, critical"),
        ("bands.toml", '"2.5"', "2.5", 'at_most should be text in double quotes, such as "3.5"'),
        ("bands.toml", '"2.5"', '"2,5"', 'at_most should be a number in quotes, such as "3.5"'),
        ("bands.toml", 'at_most   = "2.5"', 'at_least = "2.5"', "a low band needs exactly one of below, at_most"),
        ("bands.toml", 'at_most   = "2.5"', 'up_to = "2.5"', "a low band needs exactly one of below, at_most"),
        ("bands.toml", 'source    = "RCPath', 'sauce = "RCPath', "line 17: source is missing"),
        ("bands.toml", FIRST, BAND + FIRST, "line 24: potassium, low, critical stands above already"),
        ("content.toml", "\nversion ", "\n# version ", "[content], line 3: version is missing"),
        ("content.toml", "2026-06-15", '"2026-06-15"', "should be dates without quotes, such as 2026-06-15"),
        ("content.toml", "2027-06-15", "2025-06-15", "review_by should be a day after reviewed"),
        ("content.toml", "2026-06-15", "2026-06-31", "content.toml, line 7: cannot be read as TOML: Invalid date"),
        ("content.toml", '"not signed off by a clinician"', '""', "signed_by is empty"),
        ("content.toml", 'basis     = "Basis"\n', "", "[parts], line 10: basis is missing"),
        ("content.toml", '[folded]\nline = "Also found: {summary}"\n', "", "[folded]: line is missing"),
        ("content.toml", "{label}, {status},", "{label}, {state},", "{state}; it may name label, status, date, source"),
        ("content.toml", "Only coded", "Only {coded}", "{coded}, and no placeholder belongs there"),
        ("content.toml", "{summary}", "{summary", "line: a brace stands alone or has no end"),
        ("content.toml", '"Patient declined"', "3", "patient-declined should be text in double quotes"),
        ("content.toml", "patient-declined  ", '"Declined!"', "'Declined!' should be small letters and digits with"),
        ("fact_sheet.toml", '"tell"', '"telling"', "line "),
        ("presentation.toml", "facial-spasm = [", "stiffness = [", "[symptoms], line 3: unknown key 'stiffness'"),
        (
            "presentation.toml",
            "[age]\nadult = 16",
            "[age]\nadult = true",
            "adult should be a whole number without quotes",
        ),
        ("red_flags.toml", "[breathing]", "[breath]", "unknown key 'breath'"),
        ("screening.toml", "[test.ck]", "[test.cpk]", "screening.toml: [test.ck] is missing"),
        ("windows.toml", "symptom  =", "symptoms =", "[days], line 3: symptom is missing"),
        ("windows.toml", "potassium        = 90", "potassium = -90", "potassium should be a number of days, 1 or more"),
        ("windows.toml", "potassium        = 90", 'potassium = "90"', "line 12: potassium should be a whole number"),
    ],
)
def test_a_slip_is_named_with_its_place(
    name: str, old: str, new: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = slipped(name, old, new, tmp_path, monkeypatch)

    assert message.startswith(name)
    assert said in message


@pytest.mark.parametrize(
    ("old", "new"),
    [('"2.5"', '"0.25"'), ('"2.5"', '"1.9"'), ('"6.5"', '"7.1"'), ('"6.5"', '"65"'), ('"2.5"', '"limit"')],
)
def test_a_critical_potassium_cannot_be_set_outside_two_to_seven(
    old: str, new: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HZ24: hard safety limits, whatever the worked examples were changed to say."""
    message = slipped("bands.toml", old, new, tmp_path, monkeypatch)

    assert "[safety.potassium], line" in message
    assert "at 2.0 to 7.0" in message


def test_a_critical_band_of_potassium_cannot_be_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (files("cards") / "bands.toml").read_text(encoding="utf-8")
    band = text[text.index(FIRST) : text.index(FIRST, text.index(FIRST) + 1)]

    assert "potassium needs a critical band on the low side" in slipped("bands.toml", band, "", tmp_path, monkeypatch)


@pytest.mark.parametrize("mark", ["2.0", "7.0"])
def test_the_ends_of_the_span_may_be_chosen(mark: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (files("cards") / "bands.toml").read_text(encoding="utf-8")
    old = '"2.5"' if mark == "2.0" else '"6.5"'
    (tmp_path / "bands.toml").write_text(text.replace(old, f'"{mark}"', 1), encoding="utf-8")
    monkeypatch.setattr("cards.bands.files", lambda _package: tmp_path)

    assert load_bands(load().analytes).rows


def test_every_analyte_has_a_look_back_or_the_start_is_refused(content: Content) -> None:
    """Without one the rules would fail for every patient with such a result, and take the other electrolytes along."""
    short = {name: days for name, days in content.windows.look_back.items() if name != "magnesium"}

    with pytest.raises(BadContent, match=r"windows.toml: \[look_back\]: magnesium is missing"):
        check(replace(content, windows=msgspec.structs.replace(content.windows, look_back=short)))
    with pytest.raises(BadContent, match=r"windows.toml: \[look_back\]: there is no analyte 'phosphat'"):
        check(replace(content, windows=msgspec.structs.replace(content.windows, look_back=short | {"phosphat": 9})))


def test_every_electrolyte_has_bands_and_a_repeat_to_propose_or_the_start_is_refused(content: Content) -> None:
    biochemistry = next(topic for topic in TOPICS if topic.code == "biochemistry")
    suggestions = {k: v for k, v in biochemistry.sheet.suggestions.items() if k != "repeat-magnesium"}
    lacking = replace(biochemistry, sheet=msgspec.structs.replace(biochemistry.sheet, suggestions=suggestions))
    bands = replace(content.bands, rows=tuple(b for b in content.bands.rows if b.analyte != "magnesium"))

    with pytest.raises(BadContent, match=r"biochemistry.toml: magnesium .* no \[suggestion.repeat-magnesium\]"):
        check(replace(content, topics=(lacking,)))
    with pytest.raises(BadContent, match=r"bands.toml: magnesium is in the group 'electrolytes', but has no \[\[band"):
        check(replace(content, bands=bands))


TEXT = '[topic]\ntitle = "Kälte"\n\n[[example]]\nname = "one"\n'


def test_what_an_editor_on_windows_adds_is_read(tmp_path: Path) -> None:
    """A byte order mark before the first line, and lines that end in CR LF."""
    path = tmp_path / "sheet.toml"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())

    assert read_toml(path) == read_section(path).table == {"topic": {"title": "Kälte"}, "example": [{"name": "one"}]}


@pytest.mark.parametrize(("coding", "line"), [("cp1252", 2), ("utf-16", 1)])
def test_a_file_in_another_coding_is_to_be_saved_again(coding: str, line: int, tmp_path: Path) -> None:
    path = tmp_path / "sheet.toml"
    path.write_bytes(TEXT.encode(coding))

    with pytest.raises(BadContent, match=f"sheet.toml, line {line}: this is not UTF-8 text. Save the file again"):
        read_toml(path)


def test_what_is_no_toml_is_shown_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "sheet.toml"
    path.write_text("[topic]\ntitle = \u201cCold\u201d\n", encoding="utf-8")
    with pytest.raises(BadContent, match=r"sheet\.toml, line 2: cannot be read as TOML: .*: title = .Cold"):
        read_toml(path)

    path.write_text('[topic]\ntitle = ["Cold"\n', encoding="utf-8")
    with pytest.raises(BadContent, match=r"sheet\.toml, line 2: cannot be read as TOML"):
        read_toml(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadContent, match=r"sheet.toml: the file cannot be read"):
        read_toml(tmp_path / "sheet.toml")
