package tools

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// key names what the group's programs are made from: the Go version, the flags and every source file. go.mod and go.sum are
// among the sources and pin all dependencies.
func (g group) key(goVersion string) (string, error) {
	hash := sha256.New()
	fmt.Fprintf(hash, "%s\n%s\n%s\n", goVersion, g.ldflags, strings.Join(g.programs(), " "))
	for _, source := range sources {
		// WalkDir goes in lexical order, so the hash does not depend on the file system.
		err := filepath.WalkDir(filepath.Join(g.dir, source), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			return hashFile(hash, g.dir, path)
		})
		if err != nil {
			return "", fmt.Errorf("sources of the %s programs: %w", g.name, err)
		}
	}
	return hex.EncodeToString(hash.Sum(nil))[:12], nil
}

func hashFile(hash io.Writer, dir, path string) error {
	name, err := filepath.Rel(dir, path)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	fmt.Fprintf(hash, "%s %d\n%s", name, len(text), text)
	return nil
}
