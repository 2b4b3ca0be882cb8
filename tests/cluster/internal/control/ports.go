// Package control has the control plane: etcd, API server, controller manager, scheduler. It says how each is run and how one
// sees that it works; it starts nothing.
package control

// Ports of the control plane, as the state file names them.
const (
	PortEtcd              = "etcd"
	PortEtcdPeer          = "etcd-peer"
	PortAPIServer         = "kube-apiserver"
	PortControllerManager = "kube-controller-manager"
	PortScheduler         = "kube-scheduler"
)

// Ports lists them all.
func Ports() []string {
	return []string{PortEtcd, PortEtcdPeer, PortAPIServer, PortControllerManager, PortScheduler}
}
