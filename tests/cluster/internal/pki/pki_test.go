package pki

import (
	"crypto/x509"
	"net/netip"
	"os"
	"testing"
	"time"

	"chemmodel.io/tests/cluster/internal/layout"
)

func written(t *testing.T) layout.Layout {
	t.Helper()
	t.Setenv("CHEMMODEL_CACHE", t.TempDir())
	l, err := layout.For("pki")
	if err != nil {
		t.Fatal(err)
	}
	ids := Identities{Node: "node", Server: netip.MustParseAddr("10.244.64.1"), APIService: netip.MustParseAddr("10.244.128.1"), Port: 20443}
	if err := Write(l, ids, time.Now()); err != nil {
		t.Fatal(err)
	}
	return l
}

func certificate(t *testing.T, l layout.Layout, name string) *x509.Certificate {
	t.Helper()
	text, err := os.ReadFile(l.Certificate(name))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func verify(t *testing.T, l layout.Layout, name, authority string, use x509.ExtKeyUsage, host string) error {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(certificate(t, l, authority))
	_, err := certificate(t, l, name).Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{use}, DNSName: host})
	return err
}

func TestServersAreTrustedAtTheAddressesTheyListenOn(t *testing.T) {
	l := written(t)
	for name, hosts := range map[string][]string{
		"kube-apiserver": {"10.244.64.1", "10.244.128.1", "127.0.0.1", "kubernetes.default.svc"},
		"kubelet":        {"10.244.64.1"},
		"loopback":       {"127.0.0.1"},
		"metrics-server": {"metrics-server.kube-system.svc"},
	} {
		for _, host := range hosts {
			if err := verify(t, l, name, CA, x509.ExtKeyUsageServerAuth, host); err != nil {
				t.Errorf("%s at %s: %v", name, host, err)
			}
		}
	}
}

func TestCertificatesOfClientsAreOfVersion3AndNotForServers(t *testing.T) {
	l := written(t)
	for _, name := range []string{"kube-apiserver-etcd-client", "kube-apiserver-kubelet-client"} {
		if version := certificate(t, l, name).Version; version != 3 {
			t.Errorf("%s has version %d; some clients refuse what is older than 3", name, version)
		}
		if err := verify(t, l, name, CA, x509.ExtKeyUsageClientAuth, ""); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := verify(t, l, name, CA, x509.ExtKeyUsageServerAuth, ""); err == nil {
			t.Errorf("%s may act as a server", name)
		}
	}
}

func TestOnlyTheFrontProxyHasACertificateOfItsAuthority(t *testing.T) {
	l := written(t)
	if err := verify(t, l, "front-proxy-client", FrontProxyCA, x509.ExtKeyUsageClientAuth, ""); err != nil {
		t.Error(err)
	}
	for name := range certificates(Identities{}) {
		if name != "front-proxy-client" && verify(t, l, name, FrontProxyCA, x509.ExtKeyUsageClientAuth, "") == nil {
			t.Errorf("%s may act as any user towards extension API servers", name)
		}
	}
}

func TestKeysAreReadableByTheOwnerOnly(t *testing.T) {
	l := written(t)
	entries, err := os.ReadDir(l.PKI())
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v, %v", entry.Name(), info.Mode(), err)
		}
	}
}
