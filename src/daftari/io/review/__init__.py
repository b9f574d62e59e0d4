"""Access reviews: the survey, the record, the report."""
