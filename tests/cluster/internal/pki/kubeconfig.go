package pki

import (
	"encoding/json"
	"fmt"

	"sigs.k8s.io/yaml"
)

// kubeconfig is a client configuration that holds its certificates itself, so that it can be copied.
func kubeconfig(cluster, server string, ca []byte, client pair) ([]byte, error) {
	type named map[string]any
	text, err := json.Marshal(named{
		"apiVersion":      "v1",
		"kind":            "Config",
		"current-context": cluster,
		"clusters": []named{{"name": cluster, "cluster": named{
			"server":                     server,
			"certificate-authority-data": ca,
		}}},
		"users": []named{{"name": cluster, "user": named{
			"client-certificate-data": client.certificate,
			"client-key-data":         client.key,
		}}},
		"contexts": []named{{"name": cluster, "context": named{"cluster": cluster, "user": cluster}}},
	})
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	return yaml.JSONToYAML(text)
}
