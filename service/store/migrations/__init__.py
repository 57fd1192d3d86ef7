"""Changes of the tables, in order; carried out by ``muscle-cds db upgrade`` and by nothing else (R17)."""
