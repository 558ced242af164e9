"""What was read, before anyone says what it means: the model of a snapshot, and its masking."""
