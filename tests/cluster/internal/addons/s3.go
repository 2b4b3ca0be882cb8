package addons

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"chemmodel.io/tests/cluster/internal/layout"
	"chemmodel.io/tests/cluster/internal/pki"
	"chemmodel.io/tests/cluster/internal/process"
	"chemmodel.io/tests/cluster/internal/state"
)

// NewS3Account makes the root account of a new cluster.
func NewS3Account() state.S3 {
	return state.S3{AccessKeyID: "CHEM" + rand.Text()[:16], SecretAccessKey: rand.Text() + rand.Text()[:14]}
}

// S3 is versitygw over a folder: a bucket is a folder, an object is a file.
func S3(l layout.Layout, s *state.State) (process.Component, error) {
	for _, dir := range []string{l.Buckets(), l.S3Accounts()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return process.Component{}, fmt.Errorf("S3 server: %w", err)
		}
	}
	return process.Component{
		Name: "versitygw",
		Path: s.Programs["versitygw"],
		Args: []string{
			"--port", s.At(portS3), "--region", state.Region, "--health", "/health", "--quiet",
			"--iam-dir", l.S3Accounts(),
			"posix", l.Buckets(),
		},
		// By the environment: a command line is for all to read.
		Env: []string{
			"ROOT_ACCESS_KEY_ID=" + s.S3.AccessKeyID,
			"ROOT_SECRET_ACCESS_KEY=" + s.S3.SecretAccessKey,
		},
		Ready:    func(ctx context.Context) error { return pki.Answers(ctx, http.DefaultClient, S3Endpoint(s)+"/health") },
		Deadline: time.Minute,
	}, nil
}

// S3Endpoint is where host and pods reach the S3 server.
func S3Endpoint(s *state.State) string { return "http://" + s.At(portS3) }

// listens returns nil when something accepts connections at the address.
func listens(ctx context.Context, address string) error {
	connection, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return connection.Close()
}
