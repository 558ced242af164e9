"""What we know: facts computed from a snapshot on first use, typed and with units, never stored or edited.

A source that was not read raises `advisor.errors.Unread` where a fact touches it; ``None`` means *not set*.
`advisor.facts.derive.Facts` is the root whose attributes are the first words of names in rules.
"""
