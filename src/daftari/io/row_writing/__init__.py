"""What loads and caller writes share: staging tables, halving, the reasons of a rejection."""
