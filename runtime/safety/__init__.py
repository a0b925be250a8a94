"""Safety checks: what they are, the built-in ones, and the guard around a running answer."""
