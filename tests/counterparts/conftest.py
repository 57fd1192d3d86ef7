"""A FHIR server of one's own in place of the one the tests start."""


def pytest_addoption(parser):
    group = parser.getgroup("counterparts")
    group.addoption(
        "--fhir-base",
        help="FHIR R4 base to run the tests of tests/counterparts against. Synthetic records are written to it, and stay.",
    )
    group.addoption("--fhir-token", help="Bearer token for that server, if it asks for one.")
