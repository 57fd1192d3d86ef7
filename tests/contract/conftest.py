import pytest

from service.app import create_app
from service.settings import Profile, Settings


@pytest.fixture(scope="session")
def client():
    """The real service with all of its content, in the demo profile, allowed to call nothing."""
    return create_app(Settings(profile=Profile.DEMO)).test_client()
