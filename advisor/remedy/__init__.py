"""What to change, text in and text out: wants joined into a plan, predicted, proved, and laid out as files."""
