"""The recorder of figures keeps what other rows measured and replaces what this run measured."""

from tests.faults import figures
from tests.faults.figures import BEGIN, END, Figure, page_with

PAGE = f"# Faults\n\nBefore.\n\n{BEGIN}\n| F9 | memory | 3 MiB |\n| F10 | answer | 9 ms |\n{END}\n\nAfter.\n"


def test_figures_of_other_rows_stay_and_those_of_this_run_are_replaced():
    page = page_with(PAGE, [Figure("F10", "answer, worst", "612", "ms"), Figure("F16", "retries", "0", "")])

    assert "| F9 | memory | 3 MiB |\n| F10 | answer, worst | 612 ms |\n| F16 | retries | 0 |" in page
    assert "9 ms" not in page
    assert page.startswith("# Faults\n\nBefore.")
    assert page.endswith("After.\n")
    assert page.count("| Row |") == page_with(page, []).count("| Row |") == 1
    assert page_with(page, []) == page_with(page, [Figure("F16", "retries", "0", "")])


def test_a_figure_is_shown_to_three_digits_and_the_last_one_counts(monkeypatch):
    monkeypatch.setattr(figures, "_figures", {})
    figures.record("F10", "answer", 1.23456, "s")
    figures.record("F9", "growth", 1234.5, "KiB")
    figures.record("F9", "growth", 1999.5, "KiB")
    figures.record("F11", "wait", 0.0000015, "s")

    assert [(one.row, one.value) for one in figures.recorded()] == [("F9", "2000"), ("F10", "1.23"), ("F11", "0")]


def test_figures_of_two_processes_are_brought_together(monkeypatch):
    monkeypatch.setattr(figures, "_figures", {})
    figures.record("F10", "answer", 1.5, "s")
    figures.record("F25", "lines", 2, adds=True)
    others = figures.given()
    monkeypatch.setattr(figures, "_figures", {})
    figures.record("F25", "lines", 3, adds=True)
    figures.take(others)

    assert [(one.row, one.value, one.unit) for one in figures.recorded()] == [("F10", "1.5", "s"), ("F25", "5", "")]
