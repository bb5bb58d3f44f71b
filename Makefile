# Everything here needs python3, make, git and a package registry, which pip finds as it is configured on this machine.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARCH ?= arm64
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# The locks are whole, so nothing is left to resolve: a version that appears tomorrow cannot get in the way.
INSTALL_LOCK := $(PIP_INSTALL) --no-deps --require-hashes --requirement
CODE := $(wildcard src tests bench infra rig)

# Stamps: newer than what they were made from, so a second run has nothing to do.
CREATED := $(VENV)/.created
INSTALLED := $(VENV)/.installed
INSTALLED_AWS := $(VENV)/.installed-aws
INSTALLED_DEV := $(VENV)/.installed-dev
INSTALLED_INFRA := $(VENV)/.installed-infra
INSTALLED_CDK := infra/node_modules/.installed
INSTALLED_BENCH := .venv-bench/.installed
INSTALLED_RIG := rig/node_modules/.installed

# The locks hold for every supported Python and machine, and name no registry: pip's own configuration does.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command 'make lock'
COMPILE := $(LOCK) --group build

# Scripts of packages are not run: none needs its own. Without the option a lock would name the registry it came from.
NPM := $(BIN)/python -m infra.node npm --ignore-scripts --omit-lockfile-registry-resolved --no-audit --no-fund \
	--no-update-notifier --loglevel=error

.PHONY: help install install-aws install-dev install-infra install-rig demo demo-aws drill serve unit test test-office check lock translations synth cdk lambda mutants bench clean

help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

install: $(INSTALLED) ## Make .venv with what the service needs (PYTHON=python3.12 chooses the Python)

install-aws: $(INSTALLED_AWS) ## Add what operating the service on AWS needs to .venv

install-dev: $(INSTALLED_DEV) ## Add what tests and checks need to .venv

install-infra: $(INSTALLED_INFRA) $(INSTALLED_CDK) ## Add what the deployment to AWS needs (800 MB, most of it the CDK)

install-rig: $(INSTALLED_RIG) ## Add from npm an SQS to test with, beside moto, and what checks the pages of mails

demo: install ## Show one export from request to mail on this machine (ARGS=--help lists options)
	$(BIN)/memberships-export demo $(ARGS)

demo-aws: install-dev install-infra ## Show the whole path on a simulated AWS on this machine (ARGS="--topology split" for three functions, ARGS=--keep to practise on it)
	$(BIN)/python -m rig.aws.demo $(ARGS)

drill: install-dev ## Practise an operator's situation on a service of its own (ARGS=--list, or ARGS=NAME)
	@$(BIN)/python -m rig.drill $(ARGS)

serve: install ## Run the service on this machine (ARGS=--help lists options)
	$(BIN)/memberships-export serve $(ARGS)

# Three at a time also on two cores: many tests wait for processes that they start.
PYTEST := $(BIN)/pytest -n 3 --dist loadfile
# The rules are the part where every branch counts; adapters and entry points are held by contract and end-to-end tests.
COVERAGE := --cov=memberships_export.domain --cov=memberships_export.service --cov-fail-under=95
RULES := tests/unit/domain tests/unit/service

unit: install-dev ## Run the tests of domain, service, API and command line: no AWS, no CDK (ARGS=PATH for some of them)
	$(PYTEST) $(or $(ARGS),tests/unit --ignore tests/unit/adapters --ignore tests/unit/memberships_api -m 'not office')

# The tests of the rules cover the rules. The others run without coverage: it would nearly double their time.
test: install-dev install-infra install-rig ## Run all tests; branch coverage of domain and service must be 95 % (ARGS=PATH: some, without coverage)
	$(PYTEST) $(or $(ARGS),$(RULES) $(COVERAGE))
	$(if $(ARGS),,$(PYTEST) tests $(addprefix --ignore ,$(RULES)))

test-office: install-dev ## Open exported files in LibreOffice, where it is installed
	@command -v soffice >/dev/null || command -v libreoffice >/dev/null || { echo "LibreOffice is not installed. \
	On Debian and Ubuntu: apt-get install --no-install-recommends libreoffice-calc"; exit 1; }
	$(BIN)/pytest -m office $(ARGS)

# Lock freshness is a test without network (test_project.py): compiling again would need the public index, because uv
# does not read pip's configuration and so does not know a private mirror.
check: install-dev install-infra ## Lint, formatting, types, import rules, freshness of the locks
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy $(CODE)
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/python -m pip --disable-pip-version-check check
	$(BIN)/pytest -q tests/unit/test_project.py

lock: install-dev install-infra ## Compile the lock files (ARGS=--upgrade takes newer versions of Python packages)
	$(COMPILE) pyproject.toml --output-file requirements/runtime.txt $(ARGS)
	$(COMPILE) pyproject.toml --extra aws --constraint requirements/runtime.txt \
		--output-file requirements/aws.txt $(ARGS)
	$(COMPILE) pyproject.toml --extra aws --extra dev --constraint requirements/aws.txt \
		--output-file requirements/dev.txt $(ARGS)
	$(COMPILE) pyproject.toml --extra infra --constraint requirements/dev.txt \
		--output-file requirements/infra.txt $(ARGS)
	$(COMPILE) pyproject.toml --extra aws --extra postgres --constraint requirements/dev.txt \
		--output-file requirements/container.txt $(ARGS)
	$(LOCK) --group mutants --constraint requirements/dev.txt --output-file requirements/mutants.txt $(ARGS)
	$(LOCK) --group bench --constraint requirements/dev.txt --output-file requirements/bench.txt $(ARGS)
	$(LOCK) --group lambda --constraint requirements/dev.txt --output-file requirements/lambda.txt $(ARGS)
	$(NPM) install --package-lock-only --prefix infra
	$(NPM) install --package-lock-only --prefix rig

translations: install ## Collect the texts that members read into the catalogues of all languages, and compile them
	$(BIN)/python -m rig.translations

synth: install-infra lambda ## Write the CloudFormation template to dist/cdk (ARGS="-c topology=split" changes a parameter)
	$(BIN)/python -m infra.app --output dist/cdk $(ARGS)

cdk: install-infra lambda ## Run the CDK's command line (ARGS=diff, or ARGS="deploy -c imageTag=NEW")
	$(BIN)/python -m infra.node cdk $(ARGS)

lambda: $(INSTALLED_AWS) ## Build dist/ExportMemberships-arm64.zip, the code of the Lambda functions (ARCH=x86_64 for Intel)
	$(BIN)/python -m infra.bundle --arch $(ARCH)

# mutmut names what it changes by module: src/a/b.py is a.b
mutants: install-dev ## List changes of domain and service that no test notices (ARGS=PATH: of one file or folder)
	$(INSTALL_LOCK) requirements/mutants.txt
	$(BIN)/mutmut run $(if $(ARGS),'$(subst /,.,$(basename $(ARGS:src/%=%)))*')
	$(BIN)/mutmut results | sed '/: not checked$$/d'

# The rivals live in an environment of their own, so that nothing of them is in that of the service.
bench: install-dev $(INSTALLED_BENCH) ## Measure, with rivals in the same run (ARGS=--help lists options)
	$(BIN)/python -m bench $(ARGS)

clean: ## Remove .venv and all that was generated; locks and exported data stay
	rm -rf $(VENV) $(dir $(INSTALLED_BENCH)) build dist mutants infra/cdk.out infra/node_modules rig/node_modules .coverage .coverage.* .hypothesis \
		.import_linter_cache .mypy_cache .pytest_cache .ruff_cache .schemathesis src/*.egg-info
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

$(CREATED):
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit( \
		"$(PYTHON) is Python %d.%d; Python 3.11 or newer is needed: make install PYTHON=python3.11" % v[:2])'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(INSTALLED): $(CREATED) pyproject.toml requirements/runtime.txt
	$(INSTALL_LOCK) requirements/runtime.txt
	$(PIP_INSTALL) --no-build-isolation --no-deps --editable .
	@touch $@

$(INSTALLED_AWS): $(INSTALLED) requirements/aws.txt
	$(INSTALL_LOCK) requirements/aws.txt
	@touch $@

$(INSTALLED_DEV): $(INSTALLED) requirements/dev.txt
	$(INSTALL_LOCK) requirements/dev.txt
	@touch $@

$(INSTALLED_INFRA): $(INSTALLED) requirements/infra.txt
	$(INSTALL_LOCK) requirements/infra.txt
	@touch $@

$(INSTALLED_BENCH): requirements/bench.txt
	$(PYTHON) -m venv $(@D)
	$(subst $(BIN),$(@D)/bin,$(INSTALL_LOCK)) $<
	@touch $@

# From the lock alone, hashes checked.
$(INSTALLED_CDK) $(INSTALLED_RIG): %/node_modules/.installed: $(INSTALLED_INFRA) %/package.json %/package-lock.json
	$(NPM) ci --prefix $*
	@touch $@
