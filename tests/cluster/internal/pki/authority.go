// Package pki makes the cluster's certificates, keys and kubeconfigs: X.509 version 3, ECDSA P-256, valid for a year.
// Everything is made anew for each cluster and removed with it.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"time"
)

const validity = 365 * 24 * time.Hour

// pair is a certificate with its key, in PEM form.
type pair struct{ certificate, key []byte }

// authority signs certificates.
type authority struct {
	pair
	certificate *x509.Certificate
	signer      *ecdsa.PrivateKey
}

// subject is whom a certificate is for. Kubernetes takes the user from the name and the groups from the organizations.
type subject struct {
	name   string
	groups []string
	// dns and addresses make it a certificate that servers may show too.
	dns       []string
	addresses []netip.Addr
}

func newAuthority(name string, now time.Time) (*authority, error) {
	template, err := template(subject{name: name}, now)
	if err != nil {
		return nil, err
	}
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = nil
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("key of %s: %w", name, err)
	}
	signed, err := sign(template, template, key, key)
	if err != nil {
		return nil, err
	}
	certificate, err := parse(signed.certificate)
	if err != nil {
		return nil, err
	}
	return &authority{pair: signed, certificate: certificate, signer: key}, nil
}

// issue makes a key and a certificate for it.
func (a *authority) issue(s subject, now time.Time) (pair, error) {
	template, err := template(s, now)
	if err != nil {
		return pair{}, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair{}, fmt.Errorf("key of %s: %w", s.name, err)
	}
	return sign(template, a.certificate, key, a.signer)
}

func template(s subject, now time.Time) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("serial number of %s: %w", s.name, err)
	}
	t := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: s.name, Organization: s.groups},
		// Clocks of machines that were suspended may be a little behind.
		NotBefore:   now.Add(-time.Hour),
		NotAfter:    now.Add(validity),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		DNSNames:    s.dns,
	}
	for _, address := range s.addresses {
		t.IPAddresses = append(t.IPAddresses, net.IP(address.AsSlice()))
	}
	if len(s.dns)+len(s.addresses) > 0 {
		t.ExtKeyUsage = append(t.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	return t, nil
}

func sign(template, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) (pair, error) {
	name := template.Subject.CommonName
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return pair{}, fmt.Errorf("certificate of %s: %w", name, err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return pair{}, fmt.Errorf("key of %s: %w", name, err)
	}
	return pair{
		certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		key:         pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}),
	}, nil
}

func parse(certificate []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(certificate)
	if block == nil {
		return nil, fmt.Errorf("certificate: no PEM block")
	}
	return x509.ParseCertificate(block.Bytes)
}
