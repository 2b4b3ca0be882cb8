# What people and CI call. `make` alone lists the targets.
.POSIX:
.SUFFIXES:

CHEMMODEL_CACHE = $${CHEMMODEL_CACHE:-$$HOME/.cache/chemmodel}
BIN = $(CHEMMODEL_CACHE)/bin

.PHONY: help generate licences drift lint chart deny tools-bin

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 12

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
	git ls-files '*.sh' | xargs shellcheck

chart: tools-bin ## Tests of the chart, without a cluster
	HELM=$(BIN)/helm charts/test.sh

deny: ## Licences, banned crates and sources (needs cargo-deny)
	cargo deny --locked check licenses bans sources

tools-bin: ## Helm and the S3 server for tests, built from Go modules into the cache
	mkdir -p $(BIN)
	cd tests/cluster/addons && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o $(BIN)/ \
		helm.sh/helm/v3/cmd/helm github.com/versity/versitygw/cmd/versitygw
