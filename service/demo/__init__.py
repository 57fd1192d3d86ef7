"""The demo profile: synthetic patients, a read-only FHIR server that holds them, and the page that plays the EHR."""

from service.demo.greeting import what_to_try
from service.demo.synthetic import DemoPatient, patients, records

__all__ = ["DemoPatient", "patients", "records", "what_to_try"]
