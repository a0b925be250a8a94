"""What a model's activations look like on a small text, and weights balanced against them."""
