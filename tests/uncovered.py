"""What plays the same lines hundreds of times over is not followed by the coverage measurement, which would double its
time and learn nothing: lines are covered by the tests of one case each. Tests in process say ``pytest.mark.no_cover``.
"""

import pytest

UNCOVERED = {"COVERAGE_PROCESS_CONFIG": ""}
"""For the environment of a process that is started."""


@pytest.fixture
def uncovered(monkeypatch):
    """For every process that a test starts."""
    for name, value in UNCOVERED.items():
        monkeypatch.setenv(name, value)
