"""What a live database has: objects, access, partitions, applied contracts, pgAudit."""
