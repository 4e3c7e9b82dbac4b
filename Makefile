# `make demo` and `make test` each do all their own set-up on a machine with Python 3.11 and make.
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
RUN := $(VENV)/bin

.PHONY: setup demo test pytest browser multihost lint docs fuzz clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(RUN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[train,dev]'
	@touch $@

demo: setup
	$(RUN)/m4sc demo

# The checks of lint beside the first tests: they take a minute or two of one core.
test: setup
	@$(MAKE) --no-print-directory -j 2 lint pytest

# Two tests at a time, each on one thread.
pytest: setup
	OMP_NUM_THREADS=1 $(RUN)/python -m pytest -n 2 --dist worksteal

# Debian's Chromium and its driver, as root: without them the dashboard's tests in a browser are skipped.
browser:
	@command -v chromium && command -v chromedriver || \
		(apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q chromium chromium-driver)

ifdef CI
test: browser
endif

# Four hosts in network namespaces of this machine, a cut, a lost host; needs root, iproute2, util-linux.
multihost: setup
	OMP_NUM_THREADS=1 $(RUN)/python -m tests.multihost --out runs/multihost-$$(date +%Y%m%d-%H%M%S)

lint: setup
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy
	$(RUN)/lint-imports

# The pages of docs/ as a site, in build/site; `python -m launch.reference` generates what is generated in them.
docs: setup
	NO_MKDOCS_2_WARNING=1 $(RUN)/mkdocs build --strict

# Coverage-guided, so many seconds for each target; all of them unless TARGET names some.
SECONDS ?= 60

fuzz: $(VENV)/.fuzz
	$(RUN)/python -m tests.fuzz --seconds $(SECONDS) $(TARGET)

$(VENV)/.fuzz: $(READY)
	$(RUN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[fuzz]'
	@touch $@

clean:
	rm -rf $(VENV) build runs *.egg-info
