"""Rejected rows, as they are kept until somebody corrects them."""
