package tools

import (
	"os"
	"path/filepath"
	"testing"
)

func TestProgramsAreBuiltAgainWhenAndOnlyWhenWhatTheyAreMadeFromChanges(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module m")
	write("go.sum", "m v1.0.0 h1:")
	write("cmd/tool/main.go", "package main")
	g := group{name: "tools", dir: dir, packages: map[string]string{"tool": "./cmd/tool"}}
	key := func(g group, goVersion string) string {
		t.Helper()
		key, err := g.key(goVersion)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	first := key(g, "go1.26")
	write("README.md", "not a source")
	if key(g, "go1.26") != first {
		t.Error("a file that is no source changes the key")
	}
	if key(g, "go1.27") == first {
		t.Error("another Go version has the same key")
	}
	flags := g
	flags.ldflags = "-s"
	if key(flags, "go1.26") == first {
		t.Error("other flags have the same key")
	}
	write("cmd/tool/main.go", "package main // changed")
	if key(g, "go1.26") == first {
		t.Error("another source has the same key")
	}
}
