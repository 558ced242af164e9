"""How we judge: the expressions of rules, checked and compiled when a rule loads, evaluated in three values.

::

    syntax      text to a checked syntax tree: whitelist, bounds, carets
    types       kinds and units, and how they meet
    scope       names: the facts by reflection, sysctl keys, counters, params, site, lets
    known       Unknown, and and/or/not in three values
    code        a compiled expression: its type, what it reads, what it needs to be set
    functions   the functions a rule may call
    compile     syntax tree to closures
    text        templates, and how values are printed
    written     a rule as its file has it
    rulefile    the shape of a rule's file
    rule        a rule, each part checked and compiled
    pack        rule files to rules, with or without an index
    remedies    the steps of a rule: checked, then evaluated
    evidence    the named values a verdict rests on
    judge       rules and facts to verdicts
    cases       a rule's own examples, as snapshots
"""
