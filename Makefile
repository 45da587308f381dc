# Two commands for newcomers: `make demo` and `make test`. Both do all the set-up themselves.
# Hundreds of processes import the project here: each would compile it anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-long bench-preview bench-journeys bench-playwright-test bench-inner bench-first-error bench-smoke bench-task bench-leaks bench-kills lint format bootstrap

# The negative control: `make demo BREAK=preview` (or smoke, inner, task, evidence) must close the gate.
demo: bootstrap
	@.venv/bin/gatehouse demo $(if $(BREAK),--break $(BREAK))

test: lint
	.venv/bin/pytest -n 2 --dist worksteal $(ARGS)

# Many more of the random histories that `make test` tries some of.
test-long: bootstrap
	GATEHOUSE_SIMULATIONS=10000 .venv/bin/pytest tests/unit/argocd/test_simulation.py --timeout 600 $(ARGS)

# What waiting costs and how soon it ends, beside polling; about three minutes.
bench-preview: bootstrap
	.venv/bin/python benchmarks/preview_wait.py

# What the evidence of browser tests costs, beside pytest-playwright alone; about four minutes.
bench-journeys: bootstrap
	.venv/bin/python benchmarks/preview_journeys.py

# What running a project of Playwright Test in the suite costs, beside running it alone; about two minutes.
bench-playwright-test: bootstrap
	.venv/bin/python benchmarks/playwright_test_runner.py

# The inner suite beside turbo, nx and moon, and beside the best possible; about half an hour.
bench-inner: bootstrap
	.venv/bin/python benchmarks/inner_loop.py

# How often the inner suite's first error is the right one, on seeded faults; about fifteen minutes.
bench-first-error: bootstrap
	.venv/bin/python benchmarks/first_error.py

# How long the smoke suite takes, what it asks of Coder, and which of the known faults it finds; about fifteen minutes.
bench-smoke: bootstrap
	.venv/bin/python benchmarks/smoke_suite.py

# What the launcher adds to the platform's own time for a task, beside polling; and fifty tasks at once. About three minutes.
bench-task: bootstrap
	.venv/bin/python benchmarks/task_overhead.py

# What the proof that nothing is left costs beside 5,000 other objects; a few seconds.
bench-leaks: bootstrap
	PYTHONPATH=. .venv/bin/python benchmarks/leak_proof.py

# A hundred runs that are killed at random moments, and swept; about ten minutes.
bench-kills: bootstrap
	PYTHONPATH=. .venv/bin/python benchmarks/kill_test.py

lint: bootstrap
	.venv/bin/ruff format --check --quiet .
	.venv/bin/ruff check --quiet .
	.venv/bin/mypy

format: bootstrap
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

bootstrap:
	@scripts/bootstrap
