"""`edgeward bench` and `edgeward gate`: how fast, how true, and is it still so."""
