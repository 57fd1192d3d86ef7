"""What is said in the log at a start, before callers are heard: none of it keeps the service from coming up."""

from datetime import date

from cards.content import Content
from service import clock
from service.app import create_store
from service.observe import AccessLog
from service.settings import Profile, Settings, dangers_here


def warn_of_overdue_content(settings: Settings, content: Content, log: AccessLog, day: date | None = None) -> None:
    """One line if the clinical content is past its review date (HZ23): it still speaks, and says so too.

    ``day``: today if None.
    """
    review_by = content.frame.review_by
    if (day or clock.today(settings.timezone)) > review_by:
        said = "The clinical content is past its review date: ask whoever maintains it for a reviewed version."
        log.process("warning", said, content=content.version, review_by=review_by.isoformat())


def log_accepted_risks(settings: Settings, log: AccessLog) -> None:
    """R18: what a site has taken on is said at every start, at a level that no setting hides."""
    if settings.profile is Profile.PRODUCTION:
        for danger in dangers_here(settings):
            if danger.risk in settings.accept_risk:
                log.process("error", "Accepted risk", risk=danger.risk)


def log_store(settings: Settings, log: AccessLog) -> None:
    """One line if the store is not ready. Hooks can be answered without it, and it may come later (F28)."""
    store = create_store(settings)
    if not store.ready():
        log.process("error", "The store is not ready: is it there, and was 'muscle-cds db upgrade' run?")
    store.close()  # no connection may be inherited by a worker
