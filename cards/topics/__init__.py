"""The table of contents: every topic, in the order a clinician should meet them (specification 3.5)."""

from cards.topic import Topic
from cards.topics import (
    biochemistry,
    ck,
    data_quality,
    diltiazem,
    facial_spasm,
    known_neuromuscular,
    medicines,
    missing_tests,
    myotonia,
    out_of_scope,
    quinine,
    referral_quality,
    referral_red_flag,
    statin_ck,
    symptom_advice,
    test_appropriateness,
    thyroid,
)

TOPICS: tuple[Topic, ...] = (
    referral_red_flag.TOPIC,
    biochemistry.TOPIC,
    ck.TOPIC,
    quinine.TOPIC,
    diltiazem.TOPIC,
    myotonia.TOPIC,
    medicines.TOPIC,
    statin_ck.TOPIC,
    thyroid.TOPIC,
    missing_tests.TOPIC,
    facial_spasm.TOPIC,
    known_neuromuscular.TOPIC,
    referral_quality.TOPIC,
    test_appropriateness.TOPIC,
    symptom_advice.TOPIC,
    out_of_scope.TOPIC,
    data_quality.TOPIC,
)
