"""What codings mean: looked up by system and code, tolerantly spelled, never guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminology.coding import Coding
from terminology.errors import BadContent
from terminology.shapes import is_loinc, is_sctid, only_owner
from terminology.vocabulary import UNKNOWN, Link, MedicineMatch, Vocabulary, joined, load
from tests.terminology.meant import meant

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
DMD = "https://dmd.nhs.uk"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"

VOCABULARY = load()


def one(system: str, code: str) -> list[Coding]:
    return [Coding(system, code)]


# Results


def test_a_result_is_known_by_its_loinc_and_by_its_snomed_code(vocabulary: Vocabulary):
    assert meant(vocabulary, one(LOINC, "2823-3")).measured == {"potassium"}
    assert meant(vocabulary, one(SNOMED, "1000651000000109")).measured == {"potassium"}


def test_two_codings_of_one_result_name_it_once(vocabulary: Vocabulary):
    both = [Coding(LOINC, "2157-6"), Coding(SNOMED, "397798009")]

    assert meant(vocabulary, both).measured == {"ck-total"}


def test_a_panel_is_named_as_a_panel(vocabulary: Vocabulary):
    assert "panel-bmp" in meant(vocabulary, one(LOINC, "24321-2")).measured


def test_an_exclusion_beats_a_match_in_another_coding(vocabulary: Vocabulary):
    ck_mass = Coding(LOINC, "50756-6")
    codings = [Coding(LOINC, "2157-6"), ck_mass]

    assert meant(vocabulary, codings).excluded
    assert meant(vocabulary, codings).measured == frozenset()
    assert meant(vocabulary, codings[:1]).measured == {"ck-total"}
    assert not meant(vocabulary, codings[:1]).excluded


@pytest.mark.parametrize(
    ("code", "what"),
    [("50756-6", "CK as mass"), ("14297-6", "TSH as moles"), ("27975-2", "TSH as mass"), ("44783-9", "study maximum")],
)
def test_look_alikes_are_excluded(vocabulary: Vocabulary, code: str, what: str):
    assert meant(vocabulary, one(LOINC, code)).excluded, what


# Spelling of systems and codes


@pytest.mark.parametrize(
    "system",
    [LOINC, f" {LOINC} ", f"{LOINC}|2.74", "urn:oid:2.16.840.1.113883.6.1", "\turn:oid:2.16.840.1.113883.6.1\n"],
)
def test_a_system_may_carry_a_version_white_space_or_its_oid(vocabulary: Vocabulary, system: str):
    assert meant(vocabulary, one(system, "2823-3")).measured == {"potassium"}


@pytest.mark.parametrize("code", ["2823-3 ", " 2823-3", "2823-3|2.74"])
def test_a_code_may_carry_a_version_or_white_space(vocabulary: Vocabulary, code: str):
    assert meant(vocabulary, one(LOINC, code)).measured == {"potassium"}


@pytest.mark.parametrize("code", ["R25.2", "R252"])
def test_icd_codes_are_compared_without_the_dot(vocabulary: Vocabulary, code: str):
    assert meant(vocabulary, one(ICD10CM, code)).problems == {"muscle-cramp"}


def test_of_the_spellings_of_a_code_only_those_of_our_tables_are_remembered():
    vocabulary = load()
    sent = [
        (ICD10CM, "R25.2"), (ICD10CM, "R252"), (ICD10CM, "R.2.5.2"), (ICD10CM, f"R{'.' * 40}252"),
        (LOINC, "2823-3"), (LOINC, "2823-3 "), (f"{LOINC}|2.74", "2823-3"), ("", "2823-3"),
        ("http://lab.example", "2823-3"), ("http://lab.example", "K"), (LOINC, "K"), ("", ""),
    ]  # fmt: skip

    meant = [vocabulary.meaning([pair]) for pair in sent]

    assert [sorted(one.problems | one.results) for one in meant] == [
        *[["muscle-cramp"]] * 4,
        *[["potassium"]] * 5,
        [],
        [],
        [],
    ]
    assert set(vocabulary._met) == {(ICD10CM, "R25.2"), (ICD10CM, "R252"), (LOINC, "2823-3"), ("", "2823-3")}


@pytest.mark.parametrize("system", [DMD, SNOMED])
def test_a_dmd_identifier_is_known_under_both_addresses(vocabulary: Vocabulary, system: str):
    assert meant(vocabulary, one(system, "317972000")).medicine == MedicineMatch(frozenset({"furosemide"}), Link.CODE)


def test_a_code_under_the_wrong_known_system_means_nothing(vocabulary: Vocabulary):
    assert meant(vocabulary, one(SNOMED, "2823-3")).measured == frozenset()
    assert meant(vocabulary, one(LOINC, "317972000")).medicine is None


# Codes whose system is missing or unknown (architecture decision 4)


@pytest.mark.parametrize("system", ["", "  ", "http://lab.example/codes", "https://loinc.org/"])
def test_a_code_with_a_check_digit_counts_without_a_known_system(vocabulary: Vocabulary, system: str):
    assert meant(vocabulary, one(system, "2823-3")).measured == {"potassium"}
    assert meant(vocabulary, one(system, "1000651000000109")).measured == {"potassium"}


def test_a_code_without_system_that_fails_the_check_digit_means_nothing(vocabulary: Vocabulary):
    assert meant(vocabulary, one("", "2823-4")).measured == frozenset()
    assert meant(vocabulary, one("", "1000651000000108")).measured == frozenset()


def test_a_short_number_without_system_never_counts(vocabulary: Vocabulary):
    assert meant(vocabulary, one(SNOMED, "55300003")).problems == {"muscle-cramp"}
    assert meant(vocabulary, one("", "55300003")).problems == frozenset()
    assert (
        meant(vocabulary, one(RXNORM, "9075")).medicine is not None
        or meant(vocabulary, one(RXNORM, "9071")).medicine is not None
    )
    assert meant(vocabulary, one("", "9075")).medicine is None
    assert meant(vocabulary, one("", "9071")).medicine is None


def test_a_code_that_two_systems_could_own_never_counts_without_its_system(vocabulary: Vocabulary):
    assert meant(vocabulary, one("", "R25.2")).problems == frozenset()
    assert meant(vocabulary, one("", "HEM")).problems == frozenset()


def test_an_exclusion_counts_without_a_system_too(vocabulary: Vocabulary):
    assert meant(vocabulary, one("", "50756-6")).excluded


@pytest.mark.parametrize(
    ("code", "owner"),
    [
        ("2823-3", "loinc"),
        ("1000651000000109", "snomed"),
        ("397798009", "snomed"),
        ("55300003", None),
        ("9075", None),
        ("R25.2", None),
        ("S72.001A", "icd-10-cm"),
        ("L14", None),
        ("HEM", None),
        ("CK", None),
        ("", None),
    ],
)
def test_only_one_system_may_own_a_bare_code(code: str, owner: str | None):
    assert only_owner(code) == owner


# Problems and orders


def test_an_excluded_problem_code_is_only_not_that_concept(vocabulary: Vocabulary):
    assert meant(vocabulary, one(ICD10, "E83.5")).problems == frozenset()
    assert "hypocalcaemia" in meant(vocabulary, [Coding(ICD10, "E83.5"), Coding(SNOMED, "5291005")]).problems


def test_fatigue_is_not_muscle_weakness(vocabulary: Vocabulary):
    assert "muscle-weakness" not in meant(vocabulary, one(ICD10CM, "R53.1")).problems
    assert meant(vocabulary, one(SNOMED, "26544005")).problems == {"muscle-weakness"}


@pytest.mark.parametrize(
    ("system", "code", "concept"),
    [
        (SNOMED, "31384009", "myopathy-myositis"),  # polymyositis
        (SNOMED, "75072002", "myopathy-myositis"),  # nemaline
        (ICD10, "G72.4", "myopathy-myositis"),  # inflammatory
        (SNOMED, "240105009", "secondary-myopathy"),  # viral myositis
        (SNOMED, "240101000", "secondary-myopathy"),  # drug-induced
        (SNOMED, "240099007", "secondary-myopathy"),  # potassium depletion
        (SNOMED, "193255007", "secondary-myopathy"),  # proximal, of unstated cause
        (ICD10, "G72.0", "secondary-myopathy"),
        (ICD10CM, "M60.004", "secondary-myopathy"),  # infective, left leg
    ],
)
def test_an_inflammatory_or_inherited_myopathy_is_told_from_any_other(
    vocabulary: Vocabulary, system: str, code: str, concept: str
):
    """P8: the first is a disease under a specialist team, beside which no red flag is shown."""
    assert meant(vocabulary, one(system, code)).problems == {concept}


def test_one_code_may_mean_several_problems(vocabulary: Vocabulary):
    assert {"heart-failure", "hypertension"} <= meant(vocabulary, one(ICD10CM, "I11.0")).problems


def test_orders_and_referrals_are_known(vocabulary: Vocabulary):
    assert meant(vocabulary, one(SNOMED, "183521007")).orders == {"refer-neurology"}
    assert meant(vocabulary, one(LOINC, "2157-6")).orders == {"order-ck"}


def test_an_order_is_sent_with_one_coding_a_system_snomed_first(vocabulary: Vocabulary):
    codings = vocabulary.codings_for("order-ck")

    assert [(coding.system, coding.code) for coding in codings] == [(SNOMED, "397798009"), (LOINC, "2157-6")]
    assert all(coding.display for coding in codings)


def test_what_is_no_order_is_sent_with_nothing(vocabulary: Vocabulary):
    assert vocabulary.codings_for("muscle-cramp") == ()


@pytest.mark.parametrize(
    "concept", ["order-ue", "order-calcium", "order-tft", "order-ck", "order-magnesium", "order-free-t4"]
)
def test_every_test_a_card_suggests_can_be_sent(vocabulary: Vocabulary, concept: str):
    assert vocabulary.codings_for(concept)


def test_codes_to_search_are_bare_loinc_first_and_without_repeats(vocabulary: Vocabulary):
    codes = vocabulary.codes_to_search(["ck-total", "order-ck", "tsh"])

    assert len(codes) == len(set(codes))
    assert {"2157-6", "397798009", "3016-3"} <= set(codes)
    kinds = [is_loinc(code) for code in codes]
    assert kinds == sorted(kinds, reverse=True)
    assert all(is_loinc(code) or is_sctid(code) for code in codes)


def test_codes_to_search_hold_narrower_codes_and_no_excluded_ones(vocabulary: Vocabulary):
    codes = vocabulary.codes_to_search(["muscle-cramp"])

    assert codes[0] == "55300003"
    assert "449917004" in codes
    assert "95418008" not in codes


def test_codes_to_search_keep_their_order(vocabulary: Vocabulary):
    assert vocabulary.codes_to_search(["tsh", "ck-total"]) == load().codes_to_search(["tsh", "ck-total"])


def test_searching_for_an_unknown_concept_is_a_mistake(vocabulary: Vocabulary):
    with pytest.raises(BadContent, match="no-such-thing"):
        vocabulary.codes_to_search(["no-such-thing"])


# Titles


@pytest.mark.parametrize(
    ("concept", "title"),
    [
        ("muscle-cramp", "Muscle cramp"),
        ("furosemide", "Furosemide"),
        ("order-ue", "Urea and electrolytes (U&E)"),
        ("potassium", "Potassium"),
        ("diuretic", "Diuretic"),
        ("ivabradine", "Ivabradine"),
    ],
)
def test_a_concept_has_a_title_in_our_words(vocabulary: Vocabulary, concept: str, title: str):
    assert vocabulary.title(concept) == title


def test_a_title_of_nothing_is_a_mistake(vocabulary: Vocabulary):
    with pytest.raises(BadContent, match=r"titles\.toml"):
        vocabulary.title("no-such-thing")


# Licences


def test_a_licence_the_site_does_not_hold_leaves_its_rows_out(vocabulary: Vocabulary):
    without = load(without_licences=frozenset({"loinc"}))

    assert meant(without, one(LOINC, "2823-3")).measured == frozenset()
    assert meant(without, one(SNOMED, "1000651000000109")).measured == {"potassium"}
    assert not any(is_loinc(code) for code in without.codes_to_search(["potassium"]))
    assert [coding.system for coding in without.codings_for("order-ck")] == [SNOMED]
    assert without.content_hash != vocabulary.content_hash


def test_a_code_that_stands_under_two_licences_stays_while_one_is_held():
    code = "407040005"

    assert meant(load(without_licences=frozenset({"dmd-ogl3"})), one(SNOMED, code)).medicine is not None
    assert meant(load(without_licences=frozenset({"sct-affiliate"})), one(SNOMED, code)).medicine is not None
    assert meant(load(without_licences=frozenset({"dmd-ogl3", "sct-affiliate"})), one(SNOMED, code)).medicine is None


def test_names_read_only_off_rows_left_out_go_with_them():
    without = load(without_licences=frozenset({"rxnorm-free", "dmd-ogl3"}))

    assert VOCABULARY.medicine_named("Demadex") is not None
    assert without.medicine_named("Demadex") is None
    assert without.medicine_named("furosemide") is not None


def test_leaving_out_an_unknown_licence_is_a_mistake():
    with pytest.raises(BadContent, match="no-such-licence"):
        load(without_licences=frozenset({"no-such-licence"}))


# Anything at all


def test_an_empty_or_unmapped_coding_means_nothing(vocabulary: Vocabulary):
    for coding in (Coding("", ""), Coding(LOINC, ""), Coding("|", "|"), Coding("http://lab.example", "K")):
        assert meant(vocabulary, [coding]).measured == frozenset()
        assert meant(vocabulary, [coding]).medicine is None
    assert meant(vocabulary, []).measured == frozenset()
    assert meant(vocabulary, []).medicine is None


@given(st.lists(st.builds(Coding, st.text(), st.text()), max_size=3), st.text())
def test_lookups_never_raise_whatever_the_text(codings: list[Coding], text: str):
    meant(VOCABULARY, codings)
    VOCABULARY.medicine_named(text)
    VOCABULARY.classes_of(text)
    VOCABULARY.codings_for(text)


@given(
    st.permutations([Coding(LOINC, "2157-6"), Coding(SNOMED, "26544005"), Coding(DMD, "317972000"), Coding("", "x")])
)
def test_the_order_of_codings_does_not_matter(codings: list[Coding]):
    together = meant(VOCABULARY, codings)

    assert together.measured == {"ck-total"}
    assert together.problems == {"muscle-weakness"}
    assert together.medicine == MedicineMatch(frozenset({"furosemide"}), Link.CODE)


CODES = [
    (LOINC, "2157-6"),
    (LOINC, "13969-1"),
    (SNOMED, "26544005"),
    (DMD, "317972000"),
    (DMD, "1631411000001103"),
    (SNOMED, "1006761000000104"),
    ("", "x"),
]


@given(st.lists(st.sampled_from(CODES), max_size=4))
def test_several_codings_mean_all_that_each_of_them_means(pairs: list[tuple[str, str]]):
    together, each = VOCABULARY.meaning(pairs), [VOCABULARY.meaning([one]) for one in pairs]

    for kind in ("results", "excluded", "problems", "orders"):
        assert getattr(together, kind) == frozenset().union(*[getattr(one, kind) for one in each])
    assert together.medicine == joined([one.medicine for one in each if one.medicine is not None])
    assert (together == UNKNOWN) is (set(pairs) <= {("", "x")})


@given(st.integers(min_value=10**8, max_value=10**17))
def test_at_most_one_check_digit_in_ten_makes_an_identifier(stem: int):
    valid = [digit for digit in range(10) if is_sctid(f"{stem}10{digit}")]

    assert len(valid) <= 1
