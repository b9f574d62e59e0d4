"""What loads and caller writes share: staging tables, halving, the words of a rejection."""
