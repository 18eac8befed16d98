"""What serves under a model's name: variants, their shares, and the contract they keep."""
