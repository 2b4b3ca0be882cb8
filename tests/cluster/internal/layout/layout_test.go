package layout

import (
	"strings"
	"testing"
)

func TestNamesThatCouldLeaveTheFolderOrBreakOtherNamesAreRefused(t *testing.T) {
	for _, name := range []string{"", ".", "..", "a/b", "-a", "a-", "A", "1a", "a b", strings.Repeat("a", 21)} {
		if _, err := For(name); err == nil {
			t.Errorf("name %q was taken", name)
		}
	}
	for _, name := range []string{"dev", "a", "a-1", strings.Repeat("a", 20)} {
		if _, err := For(name); err != nil {
			t.Errorf("name %q: %v", name, err)
		}
	}
}

func TestACacheFolderTooLongForSocketsIsRefusedAtOnce(t *testing.T) {
	t.Setenv("CHEMMODEL_CACHE", "/"+strings.Repeat("x", 90))
	if _, err := For("dev"); err == nil || !strings.Contains(err.Error(), "CHEMMODEL_CACHE") {
		t.Errorf("error %v does not say what to change", err)
	}
}
