"""The invented organisation: its people, pay, absence and spending."""
