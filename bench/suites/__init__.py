"""One suite a file: what is run, what is checked first, which samples come out."""
