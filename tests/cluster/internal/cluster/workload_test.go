package cluster_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chemmodel.io/tests/cluster/internal/addons"
	"chemmodel.io/tests/cluster/internal/cluster"
	"chemmodel.io/tests/cluster/internal/image"
	"chemmodel.io/tests/cluster/internal/layout"
	"chemmodel.io/tests/cluster/internal/node"
	"chemmodel.io/tests/cluster/internal/state"
)

// runWorkload runs pods as the project's are run, and checks what they rely on.
func runWorkload(t *testing.T, l layout.Layout, s *state.State) {
	t.Helper()
	kubectl := cluster.Kubectl(l, s)
	run := func(arguments ...string) string {
		t.Helper()
		said, err := kubectl.Run(t.Context(), "", arguments...)
		if err != nil {
			t.Fatal(err)
		}
		return said
	}
	loadProbe(t, l)
	run("apply", "--filename", "testdata/workload.yaml")
	run("rollout", "status", "deployment/probe", "--namespace=chem", "--timeout=120s")

	service := "http://" + run("get", "service", "boiling-point", "--namespace=chem", "--output=jsonpath={.spec.clusterIP}")
	eventually(t, "the Service answers the host", func() error { return answers(service+"/hello", http.StatusOK) })
	for what, target := range map[string]string{
		"a pod reaches a Service by its name":   "http://boiling-point.chem/hello",
		"a pod reaches the S3 server":           addons.S3Endpoint(s) + "/health",
		"a pod reaches another through the DNS": "http://boiling-point.chem.svc.cluster.local/hello",
	} {
		eventually(t, what, func() error { return answers(service+"/fetch?url="+url.QueryEscape(target), http.StatusOK) })
	}
	if said := run("logs", "deployment/probe", "--namespace=chem"); !strings.Contains(said, "probe listens") {
		t.Errorf("kubectl logs: %q", said)
	}
	eventually(t, "kubectl top knows the pods", func() error {
		_, err := kubectl.Run(t.Context(), "", "top", "pods", "--namespace=chem")
		return err
	})
	checkVolume(t, l, run)
}

// checkVolume: the pods, which are not root, have written to their volume, and its data goes with the claim.
func checkVolume(t *testing.T, l layout.Layout, run func(...string) string) {
	t.Helper()
	volume := run("get", "persistentvolumeclaim", "data", "--namespace=chem", "--output=jsonpath={.spec.volumeName}")
	written, err := os.ReadFile(filepath.Join(l.Volumes(), volume, "uid"))
	if err != nil || string(written) != "65532" {
		t.Errorf("file on the volume: %q, %v; want 65532", written, err)
	}
	run("create", "--filename", "testdata/claim.yaml")
	run("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/writer", "--namespace=chem", "--timeout=60s")
	second := run("get", "persistentvolumeclaim", "short-lived", "--namespace=chem", "--output=jsonpath={.spec.volumeName}")
	if _, err := os.Stat(filepath.Join(l.Volumes(), second)); err != nil {
		t.Error(err)
	}
	run("delete", "--filename", "testdata/claim.yaml", "--timeout=60s")
	eventually(t, "the data of a deleted claim are gone", func() error {
		if _, err := os.Stat(filepath.Join(l.Volumes(), second)); !os.IsNotExist(err) {
			return fmt.Errorf("folder of %s: %v", second, err)
		}
		return nil
	})
}

// loadProbe builds the workload's program, makes an image of it and loads it.
func loadProbe(t *testing.T, l layout.Layout) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "probe")
	build := exec.Command("go", "build", "-o", program, "./testdata/probe")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	text, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	if err := image.Archive(&archive, "probe:test", "probe", text); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "probe.tar")
	if err := os.WriteFile(path, archive.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := node.ImportImages(t.Context(), l, path); err != nil {
		t.Fatal(err)
	}
}

func answers(target string, want int) error {
	client := http.Client{Timeout: 10 * time.Second}
	response, err := client.Get(target)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != want {
		err = fmt.Errorf("%s answers %s: %s", target, response.Status, text)
	}
	return err
}

func eventually(t *testing.T, what string, holds func() error) {
	t.Helper()
	const deadline = time.Minute
	var err error
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if err = holds(); err == nil {
			return
		}
	}
	t.Fatalf("not within %s: %s: %v", deadline, what, err)
}
