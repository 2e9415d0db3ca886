package smart_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
	"dougu.internal/smart"
)

// reported is the part of smart-report's JSON that is compared.
type reported struct {
	Model, Serial, Firmware, Health string
	Temperature                     map[string]any
	PowerOn                         *uint64 `json:"power_on_hours"`
	Attributes                      []struct {
		ID     uint8
		Name   string
		Value  *uint8
		Worst  *uint8
		Thresh *uint8
		Raw    string `json:"raw_string"`
		State  string
	}
	Findings []struct{ Rule string }
	Warnings []string
}

// TestNativeReadsAgreeInQEMU boots a kernel with emulated disks, and compares what the
// package reads from them with what smartctl reads in the same boot.
func TestNativeReadsAgreeInQEMU(t *testing.T) {
	dir := os.Getenv("DOUGU_QEMU")
	if dir == "" {
		t.Skip("DOUGU_QEMU is not set (.ci/run sets it): it names a folder for the kernel; wants qemu-system-x86 busybox-static kmod cpio")
	}
	tool := smartctl.Need(t)
	for _, x := range []oracle.Tool{{Name: "qemu-system-x86_64", Package: "qemu-system-x86"}, {Name: "cpio", Package: "cpio"}, {Name: "depmod", Package: "kmod"},
		{Name: "busybox", Package: "busybox-static"}} {
		x.Need(t)
	}
	program := t.TempDir() + "/report"
	goTool := oracle.Tool{Name: "go", Package: "golang"}.Need(t)
	wd, err := os.Getwd()
	require.NoError(t, err)
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	r := oracle.Run(t, oracle.Cmd{Path: goTool.Path, Dir: wd, Args: []string{"build", "-o", program, "../examples/smart-report"}, Timeout: 5 * time.Minute,
		Env: []string{"CGO_ENABLED=0", "HOME=" + os.Getenv("HOME"), "GOFLAGS=" + os.Getenv("GOFLAGS"), "GOPROXY=off", "GOCACHE=" + cache + "/go-build"}})
	require.Zero(t, r.ExitCode, "%s", r.Stderr)
	begun := time.Now()
	r = oracle.Run(t, oracle.Cmd{Path: wd + "/testdata/boot.sh", Args: []string{dir, program}, Timeout: 10 * time.Minute})
	out := strings.ReplaceAll(string(r.Stdout), "\r", "")
	t.Logf("the boot took %v", time.Since(begun).Round(time.Second))
	require.Contains(t, out, "\nDONE\n", "%s", r.Stderr)
	devices := 0
	for _, dev := range []string{"/dev/sda", "/dev/sdb", "/dev/sdc", "/dev/nvme0"} {
		mine, ok := between(out, "BEGIN report "+dev+"\n")
		require.True(t, ok, "no report of %s in\n%s", dev, out)
		theirs, ok := between(out, "BEGIN smartctl "+dev+"\n")
		require.True(t, ok)
		devices++
		t.Logf("%s\n%s", dev, mine)
		var got []reported
		require.NoError(t, json.Unmarshal([]byte(mine), &got), "%s", mine)
		require.Len(t, got, 1)
		want, err := smart.ParseJSON([]byte(theirs))
		require.NoError(t, err, "%s", theirs)
		g := got[0]
		require.Equal(t, strings.Join(strings.Fields(want.Identity.Model), " "), strings.Join(strings.Fields(g.Model), " "), dev)
		require.Equal(t, want.Identity.Serial, g.Serial, dev)
		require.Equal(t, want.Identity.Firmware, g.Firmware, dev)
		require.Equal(t, want.Health.Status.String(), g.Health, dev)
		require.Empty(t, g.Warnings, dev)
		if want.Temp.Current.OK {
			require.EqualValues(t, want.Temp.Current.C, g.Temperature["current"], dev)
		}
		if want.PowerOn.OK {
			require.EqualValues(t, uint64(want.PowerOn.V.Hours()), *g.PowerOn, dev)
		}
		require.Len(t, g.Attributes, len(want.Attributes), dev)
		for i := range want.Attributes {
			a, b := &want.Attributes[i], g.Attributes[i]
			require.Equal(t, a.ID, b.ID, dev)
			require.Equal(t, a.Name, b.Name, dev)
			require.Equal(t, a.Value, *b.Value, dev)
			require.Equal(t, a.Worst, *b.Worst, dev)
			require.Equal(t, a.Thresh, *b.Thresh, dev)
			require.Equal(t, a.Raw.Text, b.Raw, dev)
			require.Equal(t, a.State.String(), b.State, dev)
		}
	}
	oracle.Compared(t, tool, devices)
}

// between returns the lines from a mark up to the next END.
func between(s, begin string) (string, bool) {
	_, rest, ok := strings.Cut(s, begin)
	if !ok {
		return "", false
	}
	body, _, ok := strings.Cut(rest, "\nEND ")
	return body, ok
}
