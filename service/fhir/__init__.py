"""The FHIR side: what is searched for, fetched, read and written. It does not know the CDS Hooks side."""
