# Everything here works on a machine that has Python 3.11+, git and make; tools go to .tools and .venv.
PYTHON ?= python3
UV := .tools/bin/uv
RUN := .venv/bin
export UV_SYSTEM_CERTS := true

# where amounts are touched; see .ci/no_float.py
MONEY := records flows compare sync run evidence $(addprefix systems/ifs/,vouchers odata/writes.py books.py entities.py \
  invoices.py invoice_proposals.py masters.py pick.py recorded.py rows.py translate.py) $(addprefix systems/airbase/,documents.py \
  kinds.py reading.py sending.py source.py spend.py translate.py) $(addprefix store/,exceptions.py stakes.py tie_outs.py) \
  $(addprefix wiring/,both_sides.py partied.py spooled.py) console/workbook.py

PEERS := dlt airbyte singer

# of tests at once: much of what they do is waiting
WORKERS = $(shell $(PYTHON) -c 'import os; print(1 + (os.cpu_count() or 1))')

.PHONY: demo test thorough check browser pictures docs mutants bench bench-peers build sbom audit clean

demo: .venv/ready
	@$(RUN)/ml-connector demo

test: .venv/ready check browser
	$(RUN)/pytest -n $(WORKERS) --dist loadgroup

# more of what `test` covers: every point where a run can be killed, a manufacturer's whole year
thorough: .venv/ready
	$(RUN)/pytest -n $(WORKERS) --dist loadgroup -m thorough

check: .venv/ready
	$(RUN)/ruff check
	$(RUN)/ruff format --check
	$(RUN)/pyright
	$(RUN)/lint-imports --no-cache
	$(RUN)/python .ci/no_float.py $(addprefix src/ml_connector/,$(MONEY))

# for the tests that look at the console; where none can be had they are skipped, but not in CI
browser: .venv/ready
	@$(RUN)/python tests/browser/chromium.py

# of every page of the console, for the docs
pictures: browser
	rm -f docs/images/console/*.webp
	PICTURES=$(CURDIR)/docs/images/console $(RUN)/pytest tests/browser

# the docs as a site that needs no other host, in .site; also opened as files
docs: .venv/ready
	NO_MKDOCS_2_WARNING=1 $(RUN)/mkdocs build

# changes the pure core in one place at a time, and tells which changes neither types nor tests notice; reckoned at a quarter
# of an hour, the next time only what is new; `.venv/bin/mutmut show NAME` shows one, `rm -r mutants` begins anew
mutants: .venv/ready
	$(UV) run --frozen --group mutants mutmut run
	@$(RUN)/mutmut results --all true | awk -F'[.:]' '/survived|no tests/ { print } { n[$$2 ":" $$NF]++ } END { for (one in n) print one, n[one] }'

# how fast it is, beside other tools: half an hour, writes docs/explanation/benchmarks.md; QUICK=1: a look, in .bench/quick
bench: .venv/ready $(if $(QUICK),,bench-peers)
	$(RUN)/python bench/everything.py $(if $(QUICK),--quick) $(if $(DOCS),--docs $(DOCS))

# the other tools, each in an environment of its own
bench-peers: $(PEERS:%=.bench/%/ready)

.bench/%/ready: bench/peers/%/requirements.txt | $(UV)
	$(UV) venv --quiet --clear --python $(PYTHON) .bench/$*
	$(UV) pip sync --quiet --require-hashes --python .bench/$* $<
	@touch $@

# what is released: the same bytes from the same commit; hatchling is of the lock, like all else
build sbom: export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null)
build: .venv/ready
	rm -rf dist
	$(RUN)/hatchling build -d dist
	$(UV) export --frozen --quiet --no-default-groups --no-emit-project --no-header -o dist/requirements.txt >/dev/null

# what an installation consists of, with licences and digests
sbom: build
	$(RUN)/python .ci/supply/sbom.py dist dist/*.whl dist/*.tar.gz

# known weaknesses of what is locked; asks osv.dev
audit: | $(UV)
	$(UV) audit --frozen --preview-features audit-command

clean:
	rm -rf .venv .tools .bench mutants

$(UV): .ci/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ml-connector needs Python 3.11 or newer; try: make PYTHON=python3.11")'
	$(PYTHON) -m venv .tools
	.tools/bin/python -m pip install --quiet --require-hashes -r $<
	@touch $@

.venv/ready: pyproject.toml uv.lock | $(UV)
	$(UV) sync --frozen --quiet --python $(PYTHON)
	@touch $@
