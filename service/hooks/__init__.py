"""The CDS Hooks side: discovery, requests, responses. It does not know the FHIR side; they meet in the pipeline."""
