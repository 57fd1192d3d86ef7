"""The demo profile: synthetic patients, a read-only FHIR server that holds them, and the page that plays the EHR."""

from service.demo.greeting import what_to_try
from service.demo.routes import FHIR_PATH, Surroundings, home, pages
from service.demo.synthetic import DemoPatient, patients, records

__all__ = ["FHIR_PATH", "DemoPatient", "Surroundings", "home", "pages", "patients", "records", "what_to_try"]
