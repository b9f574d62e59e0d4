"""Write the records of callers, and take the steps of approvals."""
