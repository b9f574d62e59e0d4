"""What is right for the inputs of `approvals_leave_pay`."""
