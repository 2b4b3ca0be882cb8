// Package layout says where everything lies: the only place that joins paths of a cluster. It touches no file.
//
//	${CHEMMODEL_CACHE:-$HOME/.cache/chemmodel}/
//	  bin/<group>-<hash>/      built programs, shared by all clusters
//	  cluster/<name>.lock      held while a command changes the cluster
//	  cluster/<name>/          everything of one cluster; `down` leaves only logs/
package layout

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

// DefaultName is the cluster that commands mean when no --name is given.
const DefaultName = "dev"

// longestSocket is what fits in sockaddr_un with its final NUL.
const longestSocket = 107

// The name becomes part of node, cgroup and CNI network names.
var validName = regexp.MustCompile(`^[a-z]([-a-z0-9]{0,18}[a-z0-9])?$`)

// Layout knows the paths of one cluster.
type Layout struct {
	Name  string
	cache string
}

// For returns the layout of the cluster called name under the user's cache directory.
func For(name string) (Layout, error) {
	if !validName.MatchString(name) {
		return Layout{}, fmt.Errorf("cluster name %q: use 1 to 20 characters out of a-z, 0-9 and '-', starting with a letter", name)
	}
	cache := os.Getenv("CHEMMODEL_CACHE")
	if cache == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return Layout{}, fmt.Errorf("cache directory: %w; set CHEMMODEL_CACHE to a directory", err)
		}
		cache = filepath.Join(home, ".cache", "chemmodel")
	}
	cache, err := filepath.Abs(cache)
	if err != nil {
		return Layout{}, fmt.Errorf("cache directory %s: %w", cache, err)
	}
	l := Layout{Name: name, cache: cache}
	if socket := l.ContainerdSocket() + ".ttrpc"; len(socket) > longestSocket {
		return Layout{}, fmt.Errorf("socket path %s has %d bytes, Unix sockets allow %d: set CHEMMODEL_CACHE to a shorter directory",
			socket, len(socket), longestSocket)
	}
	return l, nil
}

// Programs is the folder of built programs.
func (l Layout) Programs() string { return filepath.Join(l.cache, "bin") }

// Lock is the file that is locked while a command changes the cluster.
func (l Layout) Lock() string { return filepath.Join(l.cache, "cluster", l.Name+".lock") }

// Root is the folder of everything that belongs to the cluster.
func (l Layout) Root() string { return filepath.Join(l.cache, "cluster", l.Name) }

func (l Layout) in(parts ...string) string {
	return filepath.Join(append([]string{l.Root()}, parts...)...)
}

// State is the file with ports, networks, credentials and process identities.
func (l Layout) State() string { return l.in("state.json") }

// Logs has one file per component.
func (l Layout) Logs() string { return l.in("logs") }

// Log is the log file of a component.
func (l Layout) Log(component string) string { return l.in("logs", component+".log") }

// PKI has certificates, keys and kubeconfigs.
func (l Layout) PKI() string { return l.in("pki") }

// Certificate is the path of a certificate in PEM form.
func (l Layout) Certificate(name string) string { return l.in("pki", name+".crt") }

// Key is the path of a private key in PEM form.
func (l Layout) Key(name string) string { return l.in("pki", name+".key") }

// Kubeconfig is the kubeconfig of a component or user.
func (l Layout) Kubeconfig(user string) string { return l.in("pki", user+".kubeconfig") }

// AdminKubeconfig is the kubeconfig that people and tests use.
func (l Layout) AdminKubeconfig() string { return l.Kubeconfig("admin") }

// Config has the configuration files of the components.
func (l Layout) Config(file string) string { return l.in("config", file) }

// Etcd is etcd's data directory.
func (l Layout) Etcd() string { return l.in("etcd") }

// Containerd is the folder of the cluster's own containerd.
func (l Layout) Containerd(part string) string { return l.in("containerd", part) }

// ContainerdSocket is where the cluster's own containerd listens.
func (l Layout) ContainerdSocket() string { return l.in("containerd", "sock") }

// CNI is the folder of network configurations (`conf`) and address leases (`leases`).
func (l Layout) CNI(part string) string { return l.in("cni", part) }

// Kubelet is the kubelet's root directory: pods, plugins, device sockets.
func (l Layout) Kubelet() string { return l.in("kubelet") }

// PodLogs is where containers' output goes.
func (l Layout) PodLogs() string { return l.in("pod-logs") }

// Volumes holds one folder per PersistentVolume.
func (l Layout) Volumes() string { return l.in("volumes") }

// Buckets holds one folder per S3 bucket.
func (l Layout) Buckets() string { return l.in("s3", "buckets") }

// S3Accounts is where the S3 server keeps its further accounts.
func (l Layout) S3Accounts() string { return l.in("s3", "accounts") }

// KubectlCache keeps kubectl from writing to the user's home.
func (l Layout) KubectlCache() string { return l.in("kubectl-cache") }
