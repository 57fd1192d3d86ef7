import re

from service.hooks.services import SERVICES, discovery
from tests.contract.cds_hooks import empty_members, faults

TEMPLATES = {"muscle-patient-view": {"patient": "Patient/{{context.patientId}}"}}


def test_discovery_fits_the_schema_and_has_no_empty_member():
    answer = discovery(SERVICES, TEMPLATES)

    assert faults("discovery", answer) == []
    assert empty_members(answer) == []


def test_without_services_or_templates_discovery_is_still_valid():
    assert discovery((), {}) == {"services": []}
    assert faults("discovery", discovery(SERVICES, {})) == []
    assert "prefetch" not in discovery(SERVICES, {})["services"][0]


def test_ids_are_unique_and_need_no_escape_and_there_is_one_for_a_hook():
    assert len({one.id for one in SERVICES}) == len({one.hook for one in SERVICES}) == len(SERVICES)
    assert all(re.fullmatch(r"[A-Za-z0-9._~-]+", one.id) for one in SERVICES)


def test_the_description_says_for_whom_it_is_and_that_it_is_for_evaluation_only():
    for entry in discovery(SERVICES, TEMPLATES)["services"]:
        for words in ("clinician", "aged 16 or over", "evaluation", "not placed on the market", "medical device"):
            assert words in entry["description"]
        assert entry["title"]
        assert "laboratory results" in entry["usageRequirements"]
        assert entry["version"] == "2.0.1"
