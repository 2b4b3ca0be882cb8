package image

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestAnArchiveHoldsTheProgramUnderTheDigestsItNames(t *testing.T) {
	var archive bytes.Buffer
	if err := Archive(&archive, "example:1", "tool", []byte("program")); err != nil {
		t.Fatal(err)
	}
	files := read(t, &archive)
	var manifest []struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	if err := json.Unmarshal(files["manifest.json"], &manifest); err != nil || len(manifest) != 1 {
		t.Fatalf("manifest %s: %v", files["manifest.json"], err)
	}
	if manifest[0].RepoTags[0] != "example:1" {
		t.Errorf("tags %v", manifest[0].RepoTags)
	}
	config, layer := files[manifest[0].Config], files[manifest[0].Layers[0]]
	if manifest[0].Config != digest(config)+".json" {
		t.Errorf("configuration is called %s, has digest %s", manifest[0].Config, digest(config))
	}
	if !strings.Contains(string(config), "sha256:"+digest(layer)) {
		t.Errorf("configuration %s does not name the layer %s", config, digest(layer))
	}
	if program := read(t, bytes.NewReader(layer))["tool"]; string(program) != "program" {
		t.Errorf("program in the layer: %q", program)
	}
}

func TestTheSameProgramGivesTheSameImage(t *testing.T) {
	var first, second bytes.Buffer
	for _, out := range []io.Writer{&first, &second} {
		if err := Archive(out, "example:1", "tool", []byte("program")); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two archives of one program differ")
	}
}

func read(t *testing.T, from io.Reader) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for archive := tar.NewReader(from); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		files[header.Name] = text
	}
}
