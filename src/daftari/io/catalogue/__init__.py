"""The catalogue of a live database: objects, access, partitions, applied contracts, pgAudit."""
