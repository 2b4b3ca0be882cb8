package node

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"

	"chemmodel.io/tests/cluster/internal/layout"
)

// Unmount removes every mount below the cluster's folder, the latest first.
func Unmount(l layout.Layout) error {
	mounts, err := mountinfo.GetMounts(mountinfo.PrefixFilter(l.Root()))
	if err != nil {
		return fmt.Errorf("mounts below %s: %w", l.Root(), err)
	}
	slices.Reverse(mounts)
	for _, mount := range mounts {
		// Detached: a process that still looks at it must not keep it.
		if err := unix.Unmount(mount.Mountpoint, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil && !errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("unmount of %s: %w", mount.Mountpoint, err)
		}
	}
	return nil
}

// RemoveTraces removes what the kubelet and the CNI library write at fixed places outside the cluster's folder.
func RemoveTraces(l layout.Layout) error {
	results, err := cniResults("/var/lib/cni/results", cniNetwork(l))
	if err != nil {
		return err
	}
	links, err := linksInto("/var/log/containers", l.Root()+"/")
	if err != nil {
		return err
	}
	for _, path := range append(results, links...) {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("traces of pods: %w", err)
		}
	}
	return nil
}

// cniResults lists the notes <network>-<sandbox>-<interface> that CNI keeps of the network's sandboxes. Each sandbox has another
// for its loopback, under a network name that all clusters share.
func cniResults(dir, network string) ([]string, error) {
	own, err := filepath.Glob(filepath.Join(dir, network+"-*-eth0"))
	if err != nil {
		return nil, fmt.Errorf("CNI results: %w", err)
	}
	results := own
	for _, path := range own {
		sandbox := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), network+"-"), "-eth0")
		results = append(results, filepath.Join(dir, "cni-loopback-"+sandbox+"-lo"))
	}
	return results, nil
}

// linksInto lists the symbolic links of a folder that point below prefix.
func linksInto(dir, prefix string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("traces of pods: %w", err)
	}
	var links []string
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		if target, err := os.Readlink(path); err == nil && strings.HasPrefix(target, prefix) {
			links = append(links, path)
		}
	}
	return links, nil
}
