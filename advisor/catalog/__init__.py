"""What the kernel and nginx document: types, units, ranges, defaults, what a change needs and moves."""
