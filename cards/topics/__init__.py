"""The table of contents: every topic, in the order a clinician should meet them (specification 3.5)."""

from cards.topic import Topic
from cards.topics import biochemistry

TOPICS: tuple[Topic, ...] = (
    biochemistry.TOPIC,
)
