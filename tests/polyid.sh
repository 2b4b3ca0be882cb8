#!/usr/bin/env bash
# Runs the commands of docs/polyid.md, from a table to a bundle, in PolyID's own environment. Only the ensemble is smaller than the
# page's: two folds, one epoch, 8 features, 2 messages. What the page asks of a cluster is a test on the node (`e2e`, `polymers`).
#   polyid.sh VENV     with chemmodel-export
set -euo pipefail
cd "$(dirname "$0")/.."
repository=$PWD
export PATH="$1/bin:$PATH"
work=${CHEMMODEL_CACHE:-$HOME/.cache/chemmodel}/polyid
mkdir -p "$work"
cd "$work"
# PolyID's environment takes minutes and gigabytes: it stays.
find . -mindepth 1 -maxdepth 1 ! -name polyid-venv -exec rm -rf {} +
ln -s "$repository/tools" "$repository/examples" .

# Each command of the console blocks, a line each; the lines of a here-document are kept as they are.
commands() {
	awk '
		/^```console$/ { on = 1; next }
		/^```$/ { on = 0 }
		on && /^\$ / { text = substr($0, 3); here = text ~ /<<.END./; print text; more = text ~ /\\$/ || here; next }
		on && more { print; if (here) more = $0 != "END"; else more = /\\$/ }' "$repository/docs/polyid.md"
}

# The polymers of the example, with made-up melting points: what is trained here is worth nothing.
python3 - >table.csv <<'END'
import csv, sys
rows = csv.writer(sys.stdout, lineterminator="\n")
rows.writerow(("smiles_polymer", "smiles_monomer", "distribution", "mechanism", "replicate_structure", "Tg", "Tm"))
for number, row in enumerate(csv.DictReader(open("examples/polymers.csv"))):
    tg = float(row["tg_celsius"])
    rows.writerow((row["smiles"], row["polymer"], "[]", "any", 0, tg, "" if number % 3 else 1.4 * tg + 100))
END

commands | grep -vE '^(kubectl|curl) ' | sed 's|^\(polyid-venv/bin/python tools/polyid/train.py .*\)|\1 --folds 2 --epochs 1 --width 8 --messages 2|' >all.sh
bash -euxo pipefail all.sh | tee all.log

expected=(
	'^[Cc12()]{100,}$' # an oligomer of styrene, its chain as the monomers fell: a ring may be opened inside another's branch
	'^wrote polyid-v1, sha256:[0-9a-f]{64}$'
	'^polyid-tg-tm sha256:[0-9a-f]{64}: 89 molecules agree, largest difference '
)
for line in "${expected[@]}"; do
	grep -qE "$line" all.log || {
		echo "docs/polyid.md: no command printed $line" >&2
		exit 1
	}
done
jq -e '.messages == 2' polyid-v1/features.json
jq -e '.provenance.metrics' polyid-v1/chemmodel.json
printf '\n%d passed, 0 failed\n' "$(grep -cE '^(polyid-venv|python3|chemmodel-export)' all.sh)"
