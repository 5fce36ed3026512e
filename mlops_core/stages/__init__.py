"""The stages: one file each, a function from receipts to a receipt."""
