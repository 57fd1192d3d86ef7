"""The table of contents: every topic, in the order a clinician should meet them (specification 3.5)."""

from cards.topic import Topic
from cards.topics import biochemistry, ck, data_quality, medicines, missing_tests, out_of_scope, quinine, thyroid

TOPICS: tuple[Topic, ...] = (
    biochemistry.TOPIC,
    ck.TOPIC,
    quinine.TOPIC,
    medicines.TOPIC,
    thyroid.TOPIC,
    missing_tests.TOPIC,
    out_of_scope.TOPIC,
    data_quality.TOPIC,
)
