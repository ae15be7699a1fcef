package layers_test

import (
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/layers"
)

// Files for one operating system only have imports of their own, so the table
// is held for each that the module is checked on.
func TestImportsPointDown(t *testing.T) {
	lookAround(t)
	for _, goos := range []string{"linux", "darwin", "windows", "freebsd"} {
		t.Run(goos, func(t *testing.T) {
			pkgs := list(t, goos)
			assert.Contains(t, paths(pkgs), layers.Module+"/internal/layers", "go list must see this package at least")
			for _, v := range layers.Check(layers.Diagram, layers.Bans, pkgs) {
				t.Error(v)
			}
		})
	}
}

func TestArchitectureShowsTheDiagram(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("..", "..", "docs", "architecture.md"))
	require.NoError(t, err)
	assert.Contains(t, string(doc), layers.Text())
}

func TestEveryPackageIsInOneLayer(t *testing.T) {
	seen := map[string]string{}
	for _, l := range layers.Diagram {
		for _, p := range l.Packages {
			assert.Empty(t, seen[p], "%s is in layer %s and in layer %s", p, seen[p], l.Name)
			seen[p] = l.Name
		}
	}
}

// The negative control: a table and packages that break it in every way there
// is, beside some that look alike and do not.
func TestEveryKindOfViolationIsReported(t *testing.T) {
	const m = layers.Module + "/"
	diagram := []layers.Layer{
		{Name: "2", Packages: []string{"examples/...", "top"}},
		{Name: "1+", Packages: []string{"half"}},
		{Name: "1", Packages: []string{"mid", "mid/sub", "suite"}},
		{Name: "0", Packages: []string{"low"}},
	}
	bans := []layers.Ban{
		{Imports: []string{"net", "example.com/check/..."}, In: []string{"mid"}},
		{Imports: []string{"testing"}, Except: []string{"suite"}},
	}
	banned := "banned here"
	tests := []struct {
		name string
		pkg  layers.Package
		want []layers.Violation
	}{
		{"down", layers.Package{m + "top", []string{m + "half", m + "mid", m + "low"}}, nil},
		{"half a step down", layers.Package{m + "half", []string{m + "mid"}}, nil},
		{"half a step up", layers.Package{m + "mid", []string{m + "half"}}, []layers.Violation{
			{m + "mid", m + "half", "upwards, from layer 1 to 1+"},
		}},
		{"up", layers.Package{m + "low", []string{m + "top", m + "mid"}}, []layers.Violation{
			{m + "low", m + "top", "upwards, from layer 0 to 2"},
			{m + "low", m + "mid", "upwards, from layer 0 to 1"},
		}},
		{"same layer", layers.Package{m + "mid", []string{m + "suite"}}, []layers.Violation{
			{m + "mid", m + "suite", "both are in layer 1"},
		}},
		{"parent in the same layer", layers.Package{m + "mid/sub", []string{m + "mid"}}, []layers.Violation{
			{m + "mid/sub", m + "mid", "both are in layer 1"},
		}},
		{"unlisted package", layers.Package{m + "lowest", nil}, []layers.Violation{
			{m + "lowest", "", "not in the table of layers"},
		}},
		{"unlisted folder below a listed one", layers.Package{m + "low/sub", nil}, []layers.Violation{
			{m + "low/sub", "", "not in the table of layers"},
		}},
		{"the root", layers.Package{layers.Module, nil}, []layers.Violation{
			{layers.Module, "", "not in the table of layers"},
		}},
		{"import of an unlisted package", layers.Package{m + "top", []string{m + "bench"}}, []layers.Violation{
			{m + "top", m + "bench", "not in the table of layers"},
		}},
		{"a tree", layers.Package{m + "examples/a", []string{m + "low"}}, nil},
		{"inside a tree", layers.Package{m + "examples/a", []string{m + "examples/b"}}, []layers.Violation{
			{m + "examples/a", m + "examples/b", "both are in layer 2"},
		}},
		{"banned", layers.Package{m + "mid", []string{"net", "net/netip"}}, []layers.Violation{
			{m + "mid", "net", banned},
		}},
		{"banned tree", layers.Package{m + "mid", []string{"example.com/check/cmp", "example.com/checks"}}, []layers.Violation{
			{m + "mid", "example.com/check/cmp", banned},
		}},
		{"banned next door", layers.Package{m + "mid/sub", []string{"net"}}, nil},
		{"banned everywhere", layers.Package{m + "examples/a", []string{"testing"}}, []layers.Violation{
			{m + "examples/a", "testing", banned},
		}},
		{"banned everywhere else", layers.Package{m + "suite", []string{"testing"}}, nil},
		{"somebody else's", layers.Package{m + "low", []string{"example.com/mod", layers.Module + "x/top"}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := layers.Check(diagram, bans, []layers.Package{tt.pkg})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Check mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

// The module's own bans, each planted once.
func TestEveryBanBites(t *testing.T) {
	const m = layers.Module + "/"
	for pkg, imports := range map[string][]string{
		"attr":              {"net", "net/http", "os/exec"},
		"structured":        {"net", "net/http", "os/exec"},
		"tls":               {m + "tcp", "testing", "testing/synctest"},
		"examples/x":        {"testing", "github.com/stretchr/testify/require"},
		"stream/streamtest": {"github.com/stretchr/testify/assert", "github.com/google/go-cmp/cmp", "go.uber.org/goleak"},
	} {
		for _, imp := range imports {
			got := layers.Check(layers.Diagram, layers.Bans, []layers.Package{{m + pkg, []string{imp}}})
			assert.Len(t, got, 1, "%s imports %s", pkg, imp)
		}
	}
	allowed := layers.Package{m + "stream/streamtest", []string{"testing", "testing/synctest", "net", m + "stream"}}
	assert.Empty(t, layers.Check(layers.Diagram, layers.Bans, []layers.Package{allowed}))
}

// list returns the packages of the module as they are built for goos. What does
// not build is listed too (-e), since that is for the compiler to report.
func list(t *testing.T, goos string) []layers.Package {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Imports", layers.Module+"/...")
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH=amd64", "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var pkgs []layers.Package
	for dec := json.NewDecoder(out); ; {
		var p layers.Package
		if err := dec.Decode(&p); err == io.EOF {
			break
		} else {
			require.NoError(t, err)
		}
		pkgs = append(pkgs, p)
	}
	require.NoError(t, cmd.Wait())
	return pkgs
}

// lookAround reads every folder of the module. go test repeats an old result
// while the files that the test opened are the same, and those that go list
// opens do not count.
func lookAround(t *testing.T) {
	t.Helper()
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path != root && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		return err
	})
	require.NoError(t, err)
}

func paths(pkgs []layers.Package) []string {
	var all []string
	for _, p := range pkgs {
		all = append(all, p.ImportPath)
	}
	return all
}
