package control

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"chemmodel.io/tests/cluster/internal/layout"
	"chemmodel.io/tests/cluster/internal/pki"
	"chemmodel.io/tests/cluster/internal/process"
	"chemmodel.io/tests/cluster/internal/state"
)

// APIServer is the Kubernetes API server.
func APIServer(l layout.Layout, s *state.State) (process.Component, error) {
	client, err := pki.Client(l, "kube-apiserver-kubelet-client")
	if err != nil {
		return process.Component{}, err
	}
	args := []string{
		fmt.Sprintf("--bind-address=%s", s.Address()),
		fmt.Sprintf("--secure-port=%d", s.Ports[PortAPIServer]),
		"--etcd-servers=" + etcdURL(s, PortEtcd),
		"--etcd-cafile=" + l.Certificate(pki.CA),
		"--etcd-certfile=" + l.Certificate("kube-apiserver-etcd-client"),
		"--etcd-keyfile=" + l.Key("kube-apiserver-etcd-client"),
		"--tls-cert-file=" + l.Certificate("kube-apiserver"),
		"--tls-private-key-file=" + l.Key("kube-apiserver"),
		"--client-ca-file=" + l.Certificate(pki.CA),
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + filepath.Join(l.PKI(), "service-account.pub"),
		"--service-account-signing-key-file=" + l.Key("service-account"),
		"--service-cluster-ip-range=" + s.Network.Services.String(),
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--allow-privileged",
		"--kubelet-certificate-authority=" + l.Certificate(pki.CA),
		"--kubelet-client-certificate=" + l.Certificate("kube-apiserver-kubelet-client"),
		"--kubelet-client-key=" + l.Key("kube-apiserver-kubelet-client"),
		"--kubelet-preferred-address-types=InternalIP",
		// Extension API servers (metrics) are programs of the node, reached at their endpoint rather than through kube-proxy.
		"--enable-aggregator-routing",
		"--requestheader-client-ca-file=" + l.Certificate(pki.FrontProxyCA),
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-username-headers=X-Remote-User",
		"--proxy-client-cert-file=" + l.Certificate("front-proxy-client"),
		"--proxy-client-key-file=" + l.Key("front-proxy-client"),
		// `down` need not wait for watches to end.
		"--shutdown-send-retry-after=false",
	}
	if s.APIOnly {
		// A loopback address cannot be an endpoint of the Service `kubernetes`, and no pod asks for it.
		args = append(args, "--endpoint-reconciler-type=none")
	}
	url := "https://" + s.At(PortAPIServer)
	return process.Component{
		Name:     "kube-apiserver",
		Path:     s.Programs["kube-apiserver"],
		Args:     args,
		Ready:    func(ctx context.Context) error { return pki.Answers(ctx, client, url+"/readyz") },
		Deadline: 2 * time.Minute,
	}, nil
}
