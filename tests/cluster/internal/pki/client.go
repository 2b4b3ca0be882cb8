package pki

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"

	"chemmodel.io/tests/cluster/internal/layout"
)

// Client is an HTTP client that trusts the cluster's authority and shows the named certificate.
func Client(l layout.Layout, certificate string) (*http.Client, error) {
	own, err := tls.LoadX509KeyPair(l.Certificate(certificate), l.Key(certificate))
	if err != nil {
		return nil, fmt.Errorf("certificate %s: %w", certificate, err)
	}
	ca, err := os.ReadFile(l.Certificate(CA))
	if err != nil {
		return nil, fmt.Errorf("certificate authority: %w", err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12},
		// Each question is asked on a new connection: a component may have been restarted since the last.
		DisableKeepAlives: true,
	}}, nil
}

// Answers returns nil when a GET of url is answered with status 200.
func Answers(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusOK {
		return nil
	}
	// 512 bytes tell which check has failed.
	text, _ := io.ReadAll(io.LimitReader(response.Body, 512))
	return fmt.Errorf("%s answers %s: %s", url, response.Status, text)
}
