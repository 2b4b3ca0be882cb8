package process

import (
	"bytes"
	"io"
	"os"
	"strings"
)

// tailBytes bounds what is read of a log: enough for a stack trace.
const tailBytes = 16 << 10

// tail returns the last lines of a file, indented for an error message.
func tail(path string, lines int) string {
	const indent = "    "
	file, err := os.Open(path)
	if err != nil {
		return indent + "(" + err.Error() + ")"
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() > tailBytes {
		if _, err := file.Seek(-tailBytes, io.SeekEnd); err != nil {
			return indent + "(" + err.Error() + ")"
		}
	}
	text, err := io.ReadAll(io.LimitReader(file, tailBytes))
	if err != nil {
		return indent + "(" + err.Error() + ")"
	}
	all := strings.Split(string(bytes.TrimSpace(text)), "\n")
	if len(all) > lines {
		all = all[len(all)-lines:]
	}
	return indent + strings.Join(all, "\n"+indent)
}
