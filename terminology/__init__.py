"""What things are called: codes, units, analytes, medicines, problems and orders."""
