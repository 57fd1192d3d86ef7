"""One server for all tests of the page, one browser for a module, and what holds for every page that any of them opens."""

from urllib.parse import urlsplit

import pytest

from tests.browser.a_browser import SCREENSHOTS, a_browser, chromium, demo, settled

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 740}


@pytest.fixture(scope="session")
def chromium_here():
    path = chromium()
    if path is None:
        pytest.skip("there is no Chromium here (Debian: the package chromium)")
    return path


@pytest.fixture(scope="module")
def browser(chromium_here):
    """Closed at the end of a module: as long as Playwright is there its event loop runs, and no other test could run one."""
    with a_browser(chromium_here) as started:
        yield started


@pytest.fixture(scope="session")
def address(chromium_here, tmp_path_factory):
    assert chromium_here  # without a browser there is nobody to serve
    with demo(tmp_path_factory.mktemp("demo")) as running:
        yield running


def is_wrong(said):
    """Whether a line of the console is a fault. That one patient's results are refused is what he is there to show."""
    refused = "/demo/fhir/Observation?patient=demo-results-refused" in said.location["url"]
    return said.type in ("error", "warning") and not (refused and "403" in said.text)


@pytest.fixture
def open_page(address, browser):
    """Opens the page at a patient. At the end: no error in the console, and no request that left this server."""
    contexts, wrong, asked = [], [], []

    def opened(name="low-potassium-on-indapamide", *, viewport=WIDE, scheme="light", prepare=None, **more):
        context = browser.new_context(viewport=viewport, color_scheme=scheme, **more)
        contexts.append(context)
        context.set_default_timeout(10_000)
        context.on("request", lambda request: asked.append(request.url))
        page = context.new_page()
        page.on("console", lambda said: wrong.append(said.text) if is_wrong(said) else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        if prepare is not None:
            prepare(page)
        page.goto(f"{address}/demo/#{name}")
        return settled(page)

    opened.expected = wrong
    yield opened
    for context in contexts:
        context.close()
    assert wrong == []
    assert asked or not contexts  # none where a test was skipped before it opened the page
    here = urlsplit(address).netloc
    assert {urlsplit(url).netloc for url in asked} <= {here}


@pytest.fixture(scope="session")
def keep():
    """Keeps a screenshot under a name, in a folder that git does not look at."""
    SCREENSHOTS.mkdir(exist_ok=True)
    return lambda page, name: page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
