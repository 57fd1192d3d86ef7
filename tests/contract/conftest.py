from datetime import date

import pytest

from service.app import create_advisor, create_app, load_parts
from service.settings import Profile, Settings


@pytest.fixture(scope="session")
def client():
    """The real service with all of its content on 15 June 2026, in the demo profile, allowed to call nothing."""
    settings = Settings(profile=Profile.DEMO)
    parts = load_parts(settings)
    advisor = create_advisor(settings, parts, today=lambda: date(2026, 6, 15))
    return create_app(settings, parts, advise=advisor.advise).test_client()
