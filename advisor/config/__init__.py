"""What a team writes down once, in ``advisor.yaml``: its policy, its parameters, its exceptions, its hosts.

Text in, checked values out; which file is read, and whether it may be trusted, is for `advisor.jobs.configure`.
"""
