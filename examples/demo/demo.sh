#!/usr/bin/env bash
# From nothing to predictions: a cluster, the images, the operator, a model in S3, one `kubectl apply`. `make demo` runs it.
#
# With KUBECONFIG (or CLUSTER=current) your own cluster is used; then S3_ENDPOINT, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must say where a
# bucket `models` may be made that the pods of that cluster can reach.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly NAMESPACE=chem
here=examples/demo
# shellcheck source=examples/demo/steps.sh
. "$here/steps.sh"

step "Cluster"
use_cluster
step "Images"
use_images
step "Operator"
install_operator
step "Model: the bundle of version v1, trained on measured boiling points, goes to S3"
make_bucket models
upload examples/models/boiling-point/v1 models/boiling-point/v1
upload examples/models/boiling-point/v2 models/boiling-point/v2

step "kubectl apply"
kubectl create namespace "$NAMESPACE" --dry-run=client -o yaml | kubectl apply -f - >/dev/null
kubectl -n "$NAMESPACE" create secret generic s3 --dry-run=client -o yaml \
	--from-literal=AWS_ACCESS_KEY_ID="$AWS_ACCESS_KEY_ID" --from-literal=AWS_SECRET_ACCESS_KEY="$AWS_SECRET_ACCESS_KEY" |
	kubectl apply -f - >/dev/null
manifest=$(use_example boiling-point)
started=$(date +%s)
kubectl -n "$NAMESPACE" apply -f "$manifest"
kubectl -n "$NAMESPACE" wait --for=condition=Ready --timeout=180s chemmodel/boiling-point
say "ready after $(($(date +%s) - started)) s"

step "kubectl get chemmodels"
kubectl -n "$NAMESPACE" get chemmodels

step "Predictions of molecules that were held out of training"
predict_table boiling-point examples/molecules.csv

step "A better version: blue/green to v2"
kubectl -n "$NAMESPACE" patch chemmodel boiling-point --type merge \
	-p '{"spec":{"model":{"uri":"s3://models/boiling-point/v2","version":"v2"}}}'
kubectl -n "$NAMESPACE" wait --for=jsonpath='{.status.active.version}'=v2 --timeout=180s chemmodel/boiling-point
kubectl -n "$NAMESPACE" get chemmodels
predict_table boiling-point examples/molecules.csv

step "A graph model: PolyID's ensemble, asked for well-known polymers by their oligomers"
upload examples/models/polyid-tg-tm/v2 models/polyid-tg-tm/v2
kubectl -n "$NAMESPACE" apply -f "$(use_example polyid)"
kubectl -n "$NAMESPACE" wait --for=condition=Ready --timeout=300s chemmodel/polyid-tg-tm
kubectl -n "$NAMESPACE" get chemmodels
predict_table polyid-tg-tm examples/polymers.csv Tg
say "Trained on polyesters alone: the other polymers are far from what it has seen, and it says so."

cat <<END

The cluster is still running. Go on:
  $go_on
  kubectl -n $NAMESPACE get chemmodels --watch
  kubectl -n $NAMESPACE describe chemmodel boiling-point
  kubectl -n $NAMESPACE port-forward service/boiling-point 8080:80 &
  curl localhost:8080/predict -H 'content-type: application/json' -d '{"smiles":"CCO"}'
  kubectl -n $NAMESPACE apply -f $manifest     # back to v1; at once while its pods are still warm
  examples/demo/rollouts.sh /tmp/rollouts.txt     # a good version, the way back and a bad version, recorded
Stop:
  make demo-down
END
