"""From numbers to blocks of few bits. Knows arrays only: no files, no graphs."""
