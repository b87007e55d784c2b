"""What runs found, beside the notes' answer."""
