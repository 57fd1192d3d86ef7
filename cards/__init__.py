"""What it means and how it is said: a chart becomes findings, findings become a few cards."""
