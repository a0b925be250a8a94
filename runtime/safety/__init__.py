<<<<<<< HEAD
"""Safety checks: what they are, the built-in ones, and the guard around a running answer."""
=======
"""Safety filters: scorers that ship, checks around them, the guard in the loop."""
>>>>>>> 0f3f27a (Score texts for toxicity and jailbreaks: features, linear scorer, encoder, model file)
