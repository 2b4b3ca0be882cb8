package control

import (
	"context"
	"fmt"
	"time"

	"chemmodel.io/tests/cluster/internal/layout"
	"chemmodel.io/tests/cluster/internal/pki"
	"chemmodel.io/tests/cluster/internal/process"
	"chemmodel.io/tests/cluster/internal/state"
)

// Etcd is the database of the API server. It serves holders of a cluster certificate only: whoever can write to it owns the node.
func Etcd(l layout.Layout, s *state.State) (process.Component, error) {
	client, err := pki.Client(l, "kube-apiserver-etcd-client")
	if err != nil {
		return process.Component{}, err
	}
	url := etcdURL(s, PortEtcd)
	peer := etcdURL(s, PortEtcdPeer)
	return process.Component{
		Name: "etcd",
		Path: s.Programs["etcd"],
		Args: []string{
			"--name=default",
			"--data-dir=" + l.Etcd(),
			"--listen-client-urls=" + url,
			"--advertise-client-urls=" + url,
			"--listen-peer-urls=" + peer,
			"--initial-advertise-peer-urls=" + peer,
			"--initial-cluster=default=" + peer,
			"--client-cert-auth",
			"--trusted-ca-file=" + l.Certificate(pki.CA),
			"--cert-file=" + l.Certificate("loopback"),
			"--key-file=" + l.Key("loopback"),
			"--peer-client-cert-auth",
			"--peer-trusted-ca-file=" + l.Certificate(pki.CA),
			"--peer-cert-file=" + l.Certificate("loopback"),
			"--peer-key-file=" + l.Key("loopback"),
			// A test cluster need not survive a power cut, and waiting for the disk is most of etcd's time.
			"--unsafe-no-fsync",
			"--log-level=warn",
		},
		Ready:    func(ctx context.Context) error { return pki.Answers(ctx, client, url+"/health") },
		Deadline: time.Minute,
	}, nil
}

func etcdURL(s *state.State, port string) string {
	return fmt.Sprintf("https://127.0.0.1:%d", s.Ports[port])
}
