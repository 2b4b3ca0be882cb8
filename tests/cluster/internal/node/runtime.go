package node

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"chemmodel.io/tests/cluster/internal/layout"
)

// withRuntime calls f with a client of the cluster's containerd.
func withRuntime(l layout.Layout, f func(cri.RuntimeServiceClient) error) error {
	connection, err := grpc.NewClient("unix://"+l.ContainerdSocket(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("containerd: %w", err)
	}
	defer connection.Close()
	return f(cri.NewRuntimeServiceClient(connection))
}

// runtimeReady returns nil once containerd can run pods.
func runtimeReady(ctx context.Context, l layout.Layout) error {
	return withRuntime(l, func(client cri.RuntimeServiceClient) error {
		response, err := client.Status(ctx, &cri.StatusRequest{})
		if err != nil {
			return err
		}
		for _, condition := range response.GetStatus().GetConditions() {
			if !condition.GetStatus() {
				return fmt.Errorf("%s is not met: %s", condition.GetType(), condition.GetMessage())
			}
		}
		return nil
	})
}

// RemovePods stops and removes every pod sandbox: containers, network namespaces, mounts. The kubelet must be stopped before, or it
// starts them again.
func RemovePods(ctx context.Context, l layout.Layout) (int, error) {
	removed := 0
	err := withRuntime(l, func(client cri.RuntimeServiceClient) error {
		pods, err := client.ListPodSandbox(ctx, &cri.ListPodSandboxRequest{})
		if err != nil {
			return fmt.Errorf("list of pods: %w", err)
		}
		var failures []error
		for _, pod := range pods.GetItems() {
			if _, err := client.StopPodSandbox(ctx, &cri.StopPodSandboxRequest{PodSandboxId: pod.GetId()}); err != nil {
				failures = append(failures, fmt.Errorf("stop of pod %s: %w", pod.GetMetadata().GetName(), err))
				continue
			}
			if _, err := client.RemovePodSandbox(ctx, &cri.RemovePodSandboxRequest{PodSandboxId: pod.GetId()}); err != nil {
				failures = append(failures, fmt.Errorf("removal of pod %s: %w", pod.GetMetadata().GetName(), err))
				continue
			}
			removed++
		}
		return errors.Join(failures...)
	})
	return removed, err
}

// ImportImages makes the images of an archive written by `docker save` known to the node, and returns what ctr said.
func ImportImages(ctx context.Context, l layout.Layout, archive string) (string, error) {
	cmd := exec.CommandContext(ctx, "ctr", "--address", l.ContainerdSocket(), "--namespace", "k8s.io", "images", "import", archive)
	said, err := cmd.CombinedOutput()
	text := strings.TrimSpace(string(said))
	if err != nil {
		return "", fmt.Errorf("import of %s into the node: %w: %s", archive, err, text)
	}
	return text, nil
}
