{{/*
What the operator does in the API, and no more: the watches of controller.rs, the lists of observe.rs, the writes of apply.rs and
report.rs. No Secret is ever read: pods mount them by name.

`create` goes with `patch`, because server-side apply of an absent object is a creation. `get` looks whose a name is before the
first apply. There is `delete` only where the planner deletes; garbage collection takes the rest.
*/}}
{{- define "chemmodel-operator.rules" -}}
- apiGroups: [chemmodel.io]
  resources: [chemmodels]
  verbs: [get, list, watch]
- apiGroups: [chemmodel.io]
  resources: [chemmodels/status]
  verbs: [patch]
- apiGroups: [""]
  resources: [serviceaccounts, services]
  verbs: [get, list, watch, create, patch]
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch]
- apiGroups: [apps]
  resources: [deployments/scale]
  verbs: [patch]
- apiGroups: [apps]
  resources: [controllerrevisions]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}
