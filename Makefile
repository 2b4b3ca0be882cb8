# What people and CI call. `make` alone lists the targets.
.POSIX:
.SUFFIXES:

CACHE = $${CHEMMODEL_CACHE:-$$HOME/.cache/chemmodel}
BIN = $(CACHE)/bin

.PHONY: help bench exporter fuzz demo demo-down test soak serve images generate licences drift lint lint-shell chart deny \
	prometheus test-bench test-chem test-clients test-cluster test-exporter test-polyid test-predict cluster-bin tools-bin onnxruntime \
	onnxruntime-path

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 12

demo: ## From nothing to predictions on a Kubernetes of its own, which stays up
	examples/demo/demo.sh

demo-down: cluster-bin ## Stop that Kubernetes and remove everything that it made
	$(BIN)/cluster down

test: ## Everything that can be tested on this machine
	tests/run.sh

soak: tools-bin ## The long versions of tests, on the cluster that `make demo` left: kills at every write, 100 switches under load
	cargo test --locked --package chemmodel-jobs -- --ignored
	eval "$$($(BIN)/cluster env)" && CRASHES=all SWITCHES=100 \
		cargo test --locked --package chemmodel-tests --test e2e -- --test-threads=1 switches:: crashes::

BUNDLE = examples/models/boiling-point/v1
serve: onnxruntime ## The server alone on BUNDLE, no Kubernetes: http://localhost:8080/predict
	ORT_DYLIB_PATH=$$($(MAKE) --silent onnxruntime-path) cargo run --release --locked --package chemmodel-inference -- \
		--bundle $(BUNDLE) --name "$$(basename $$(dirname $(BUNDLE)))" --version "$$(basename $(BUNDLE))" --accelerator cpu --log-format text

images: ## Both images, by their Dockerfiles
	tests/images/build.sh operator cpu cuda

generate: ## Write everything that is generated: the CRD, the chart's copy of it, the list of licences
	cargo run --quiet --locked --package chemmodel-crds --bin chemmodel-crdgen >crds/chemmodel.yaml.new
	mv crds/chemmodel.yaml.new crds/chemmodel.yaml
	cp crds/chemmodel.yaml charts/chemmodel-operator/files/chemmodel.yaml
	$(MAKE) licences

licences: ## Write THIRD-PARTY-LICENSES.md
	docs/third-party.sh >THIRD-PARTY-LICENSES.md.new
	mv THIRD-PARTY-LICENSES.md.new THIRD-PARTY-LICENSES.md

drift: generate ## Fail when a generated file is not what would be generated
	git diff --exit-code -- crds/chemmodel.yaml charts/chemmodel-operator/files THIRD-PARTY-LICENSES.md

lint: ## Formats and lints of Rust and shell
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	$(MAKE) lint-shell

lint-shell: ## Lints of shell scripts
	git ls-files '*.sh' '.ci/run' | xargs shellcheck -x

chart: tools-bin ## Tests of the chart, without a cluster
	HELM=$(BIN)/helm charts/test.sh

bench: onnxruntime ## Compares the server with others, for an hour on a quiet machine; writes docs/benchmarks.md
	bench/run.py

test-bench: ## Tests of what the benchmark's numbers mean
	cd bench && python3 -m unittest discover -s tests -t .

FUZZ = cargo-fuzz@0.13.2
FUZZ_SECONDS = 600
fuzz: ## Ten CPU-minutes of arbitrary input for each thing that reads any
	command -v cargo-fuzz || cargo install --quiet --locked $(FUZZ)
	for target in predict infer manifest molecule graph smiles network; do \
		RUSTC_BOOTSTRAP=1 cargo fuzz run $$target -- -max_total_time=$(FUZZ_SECONDS) -max_len=8192 -rss_limit_mb=4096 || exit; \
	done

DENY = cargo-deny@0.20.2
deny: ## Licences, banned crates and sources
	command -v cargo-deny || cargo install --quiet --locked --debug $(DENY)
	cargo deny --locked check licenses bans sources

tools-bin: ## Helm and the S3 server for tests, built from Go modules into the cache
	mkdir -p $(BIN)
	cd tests/cluster/addons && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o $(BIN)/ \
		helm.sh/helm/v3/cmd/helm github.com/versity/versitygw/cmd/versitygw

cluster-bin: ## The program that runs the test cluster; prints where it is
	@mkdir -p $(BIN)
	@cd tests/cluster && go build -o $(BIN)/cluster ./cmd/cluster
	@echo $(BIN)/cluster

test-cluster: ## Tests of the test cluster: up, down, and nothing left behind
	cd tests/cluster && go vet ./... && go test -v -timeout 30m ./...

VENV = $(CACHE)/venv
exporter: ## The exporter, in an environment of its own
	test -x $(VENV)/bin/python || python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --editable './tools[dev]'

test-exporter: exporter ## Tests of the exporter and of the committed bundles
	$(VENV)/bin/ruff check tools
	$(VENV)/bin/ruff format --check tools
	cd tools && $(VENV)/bin/pytest

test-polyid: exporter ## The commands of docs/polyid.md, in PolyID's own environment
	tests/polyid.sh $(VENV)

CLIENTS = $(CACHE)/clients
test-clients: onnxruntime ## Other people's clients, unmodified, against the server
	cargo build --locked --package chemmodel-inference
	test -x $(CLIENTS)/bin/python || python3 -m venv $(CLIENTS)
	$(CLIENTS)/bin/pip install --quiet --disable-pip-version-check --requirement tests/clients/requirements.txt
	export CHEMMODEL_SERVER="$${CARGO_TARGET_DIR:-$$PWD/target}/debug/chemmodel-server" ORT_DYLIB_PATH="$(ORT)/libonnxruntime.so" && \
		cd tests/clients && for client in kserve tritonclient schemathesis; do \
			$(CLIENTS)/bin/pytest -p no:cacheprovider --quiet test_$$client.py || exit; \
		done

CHEM = $(CACHE)/chem
test-chem: ## SMILES to features against RDKit and nfp, on 150,000 spellings of molecules
	test -x $(CHEM)/bin/python || python3 -m venv $(CHEM)
	$(CHEM)/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement chem/tests/requirements.txt
	cat chem/tests/reference.py chem/tests/requirements.txt | cmp -s - $(CHEM)/reference.by || { \
		$(CHEM)/bin/python chem/tests/reference.py $(CHEM)/reference.jsonl && \
		cat chem/tests/reference.py chem/tests/requirements.txt >$(CHEM)/reference.by; }
	CHEMMODEL_CHEM_REFERENCE=$(CHEM)/reference.jsonl \
		cargo test --locked --package chemmodel-chem --test parity -- --ignored --nocapture

PREDICT = $(CACHE)/predict
test-predict: onnxruntime ## Tests of the client for whole files, against the server
	cargo build --locked --package chemmodel-inference
	test -x $(PREDICT)/bin/python || python3 -m venv $(PREDICT)
	$(PREDICT)/bin/pip install --quiet --disable-pip-version-check --editable './tools/predict[dev]'
	export CHEMMODEL_SERVER="$${CARGO_TARGET_DIR:-$$PWD/target}/debug/chemmodel-server" ORT_DYLIB_PATH="$(ORT)/libonnxruntime.so" && \
		cd tools/predict && $(PREDICT)/bin/pytest

PROMETHEUS = $(CACHE)/prometheus
prometheus: ## Prometheus for tests; unpacked and not installed, because Debian's package would start a service
	test -x $(PROMETHEUS)/usr/bin/prometheus || { \
		mkdir -p $(PROMETHEUS) && cd $(PROMETHEUS) && apt-get download -qq prometheus && dpkg-deb --extract prometheus_*.deb . && \
		rm prometheus_*.deb; }

ORT_VERSION = 1.31.1
ORT = $(CACHE)/onnxruntime/$(ORT_VERSION)
onnxruntime: ## ONNX Runtime's library, hash-checked, into the cache
	test -e $(ORT)/libonnxruntime.so || { \
		mkdir -p $(ORT)/wheel && \
		python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary=:all: --python-version 3.11 \
			--requirement inference/onnxruntime/cpu.txt --dest $(ORT)/wheel && \
		python3 -m zipfile --extract $(ORT)/wheel/onnxruntime-*.whl $(ORT)/wheel && \
		mv $(ORT)/wheel/onnxruntime/capi/libonnxruntime.so.$(ORT_VERSION) $(ORT)/libonnxruntime.so && \
		rm -r $(ORT)/wheel; }

onnxruntime-path:
	@echo $(ORT)/libonnxruntime.so
