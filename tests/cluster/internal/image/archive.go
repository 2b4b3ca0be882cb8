// Package image makes a container image out of one static program, in the form of `docker save`, without Docker.
package image

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"time"
)

// entry is a file of a tar archive.
type entry struct {
	name string
	mode int64
	text []byte
}

// Archive writes an image called reference whose only content and entry point is the program, run as nobody.
func Archive(out io.Writer, reference, name string, program []byte) error {
	var layer bytes.Buffer
	if err := writeTar(&layer, entry{name, 0o755, program}); err != nil {
		return fmt.Errorf("image %s: %w", reference, err)
	}
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH,
		"os":           "linux",
		"config":       map[string]any{"Entrypoint": []string{"/" + name}, "User": "65535:65535"},
		"rootfs":       map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + digest(layer.Bytes())}},
	})
	if err != nil {
		return fmt.Errorf("image %s: %w", reference, err)
	}
	configName, layerName := digest(config)+".json", digest(layer.Bytes())+"/layer.tar"
	manifest, err := json.Marshal([]map[string]any{{
		"Config": configName, "RepoTags": []string{reference}, "Layers": []string{layerName},
	}})
	if err != nil {
		return fmt.Errorf("image %s: %w", reference, err)
	}
	err = writeTar(out, entry{configName, 0o644, config}, entry{layerName, 0o644, layer.Bytes()}, entry{"manifest.json", 0o644, manifest})
	if err != nil {
		return fmt.Errorf("image %s: %w", reference, err)
	}
	return nil
}

func writeTar(out io.Writer, entries ...entry) error {
	archive := tar.NewWriter(out)
	for _, e := range entries {
		// The same program gives the same image, whenever it is made.
		header := &tar.Header{Name: e.name, Mode: e.mode, Size: int64(len(e.text)), ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := archive.Write(e.text); err != nil {
			return err
		}
	}
	return archive.Close()
}

func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
