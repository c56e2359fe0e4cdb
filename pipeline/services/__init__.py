"""The only writers of leads and of what belongs to them."""
