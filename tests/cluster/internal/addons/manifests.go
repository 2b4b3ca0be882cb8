package addons

import (
	"bytes"
	"embed"
	"encoding/base64"
	"fmt"
	"os"
	"text/template"

	"chemmodel.io/tests/cluster/internal/layout"
	"chemmodel.io/tests/cluster/internal/pki"
	"chemmodel.io/tests/cluster/internal/state"
)

//go:embed manifests
var files embed.FS

var manifests = template.Must(template.New("").Option("missingkey=error").ParseFS(files, "manifests/*"))

// Manifest has the objects by which the cluster knows its add-ons.
func Manifest(l layout.Layout, s *state.State) (string, error) {
	ca, err := os.ReadFile(l.Certificate(pki.CA))
	if err != nil {
		return "", fmt.Errorf("manifest of the add-ons: %w", err)
	}
	values := map[string]any{
		"Address":     s.Address(),
		"DNS":         s.Network.DNS,
		"DNSPort":     s.Ports[portDNS],
		"MetricsPort": s.Ports[portMetrics],
		"CA":          base64.StdEncoding.EncodeToString(ca),
		"Provisioner": Provisioner,
	}
	var all bytes.Buffer
	for _, file := range []string{"dns.yaml", "metrics.yaml", "policies.yaml", "storage.yaml"} {
		if err := manifests.ExecuteTemplate(&all, file, values); err != nil {
			return "", fmt.Errorf("manifest of the add-ons: %w", err)
		}
		all.WriteString("\n---\n")
	}
	return all.String(), nil
}
