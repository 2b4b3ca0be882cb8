package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"chemmodel.io/tests/cluster/internal/layout"
)

// Names of the certificate authorities. Only the API server itself may hold a certificate of the front proxy authority:
// whoever holds one may act as any user towards extension API servers.
const (
	CA           = "ca"
	FrontProxyCA = "front-proxy-ca"
)

// Identities is what the certificates of a cluster are made for.
type Identities struct {
	Node string
	// Server is the address of the API server and all other servers, APIService the cluster address of `kubernetes`.
	Server     netip.Addr
	APIService netip.Addr
	Port       int
}

// Write makes all certificates, keys and kubeconfigs of a cluster.
func Write(l layout.Layout, ids Identities, now time.Time) error {
	if err := os.MkdirAll(l.PKI(), 0o700); err != nil {
		return fmt.Errorf("certificates: %w", err)
	}
	cluster, err := newAuthority("chemmodel-test-cluster", now)
	if err != nil {
		return err
	}
	frontProxy, err := newAuthority("chemmodel-test-front-proxy", now)
	if err != nil {
		return err
	}
	for name, authority := range map[string]*authority{CA: cluster, FrontProxyCA: frontProxy} {
		if err := writePair(l, name, authority.pair); err != nil {
			return err
		}
	}
	for name, certificate := range certificates(ids) {
		authority := cluster
		if name == "front-proxy-client" {
			authority = frontProxy
		}
		issued, err := authority.issue(certificate, now)
		if err != nil {
			return err
		}
		if err := writePair(l, name, issued); err != nil {
			return err
		}
	}
	server := fmt.Sprintf("https://%s", netip.AddrPortFrom(ids.Server, uint16(ids.Port)))
	for name, user := range users(ids.Node) {
		issued, err := cluster.issue(user, now)
		if err != nil {
			return err
		}
		text, err := kubeconfig(l.Name, server, cluster.pair.certificate, issued)
		if err != nil {
			return err
		}
		if err := writeFile(l.Kubeconfig(name), text); err != nil {
			return err
		}
	}
	return writeServiceAccountKey(l)
}

// certificates are those that components read from files.
func certificates(ids Identities) map[string]subject {
	localhost := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	return map[string]subject{
		// What listens on the loopback only: etcd, controller manager, scheduler.
		"loopback": {name: "loopback", dns: []string{"localhost"}, addresses: []netip.Addr{localhost}},
		"kube-apiserver": {
			name:      "kube-apiserver",
			dns:       []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"},
			addresses: []netip.Addr{localhost, ids.Server, ids.APIService},
		},
		"kube-apiserver-etcd-client":    {name: "kube-apiserver"},
		"kube-apiserver-kubelet-client": {name: "kube-apiserver-kubelet-client", groups: []string{"system:masters"}},
		"front-proxy-client":            {name: "front-proxy-client"},
		"kubelet":                       {name: "system:node:" + ids.Node, groups: []string{"system:nodes"}, dns: []string{ids.Node}, addresses: []netip.Addr{ids.Server}},
		"metrics-server":                {name: "metrics-server", dns: []string{"metrics-server.kube-system.svc"}},
	}
}

// users are those who talk to the API server, each with the rights that upstream gives to its name or group.
func users(node string) map[string]subject {
	return map[string]subject{
		"admin":                   {name: "admin", groups: []string{"system:masters"}},
		"kube-controller-manager": {name: "system:kube-controller-manager"},
		"kube-scheduler":          {name: "system:kube-scheduler"},
		"kubelet":                 {name: "system:node:" + node, groups: []string{"system:nodes"}},
		"kube-proxy":              {name: "system:kube-proxy"},
		"coredns":                 {name: "system:coredns"},
		"metrics-server":          {name: "system:metrics-server"},
		"network-policies":        {name: "chemmodel:network-policies"},
		"storage-provisioner":     {name: "system:persistent-volume-provisioner"},
	}
}

// writeServiceAccountKey makes the key pair that signs and checks service account tokens.
func writeServiceAccountKey(l layout.Layout) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("service account key: %w", err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return fmt.Errorf("service account key: %w", err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return fmt.Errorf("service account key: %w", err)
	}
	if err := writeFile(l.Key("service-account"), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private})); err != nil {
		return err
	}
	return writeFile(filepath.Join(l.PKI(), "service-account.pub"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
}

func writePair(l layout.Layout, name string, p pair) error {
	if err := writeFile(l.Certificate(name), p.certificate); err != nil {
		return err
	}
	return writeFile(l.Key(name), p.key)
}

func writeFile(path string, text []byte) error {
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return fmt.Errorf("certificates: %w", err)
	}
	return nil
}
