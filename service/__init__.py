"""How it is asked, fetched and answered: CDS Hooks, FHIR, settings."""
