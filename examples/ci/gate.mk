# include gate.mk in a Makefile. GATE=... goes to advisor: make gate GATE="--fail-on medium".
ADVISOR ?= .advisor/bin/advisor
ADVISOR_FROM ?= git+https://git.example.org/tools/advisor@v0.1.0

# an advisor that is there already is taken as it is: make gate ADVISOR=advisor
ADVISOR_INSTALLED := $(filter .advisor/bin/advisor,$(ADVISOR))

.PHONY: gate gate-fix gate-baseline

gate: $(ADVISOR_INSTALLED) ## fail on nginx and sysctl settings that hold a host back
	@$(ADVISOR) gate $(GATE)

gate-fix: $(ADVISOR_INSTALLED) ## write the safe cures into the files
	@$(ADVISOR) gate --fix $(GATE)

gate-baseline: $(ADVISOR_INSTALLED) ## take what is found today as known: from now on only what is new fails
	@$(ADVISOR) gate --write-baseline advisor-baseline.json $(GATE)

.advisor/bin/advisor:
	@python3 -m venv .advisor
	@.advisor/bin/python -m pip install --quiet "$(ADVISOR_FROM)"
