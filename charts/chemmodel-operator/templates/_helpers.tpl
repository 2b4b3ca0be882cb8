{{/* Name of everything in the release: the chart's own for a release that is called after it. */}}
{{- define "chemmodel-operator.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{/* What never changes in a release: a Deployment's selector is immutable. */}}
{{- define "chemmodel-operator.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "chemmodel-operator.labels" -}}
{{ include "chemmodel-operator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: chemmodel
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") }}
{{- end }}

{{- define "chemmodel-operator.image" -}}
{{- $tag := .Values.image.tag | default .Chart.AppVersion -}}
{{- .Values.image.repository }}{{ ternary "@" ":" (hasPrefix "sha256:" $tag) }}{{ $tag }}
{{- end }}

{{/* The server's image for the accelerator that is named by the second of the two arguments. */}}
{{- define "chemmodel-operator.serverImage" -}}
{{- $root := index . 0 -}}
{{- $accelerator := index . 1 -}}
{{- index $root.Values.serverImages $accelerator | default (printf "ghcr.io/chemmodel/chemmodel-inference:%s-%s" $root.Chart.AppVersion $accelerator) -}}
{{- end }}
