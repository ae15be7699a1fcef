package layers

import (
	"fmt"
	"slices"
	"strings"
)

// A Package is what there is to know about a package: its import path and the
// import paths that its own files name, those of tests left out.
type Package struct {
	ImportPath string
	Imports    []string
}

// A Violation is one import that must not be, or, without Import, one package
// that the table does not name.
type Violation struct {
	Package string
	Import  string
	Reason  string
}

func (v Violation) String() string {
	if v.Import == "" {
		return fmt.Sprintf("%s: %s", v.Package, v.Reason)
	}
	return fmt.Sprintf("%s imports %s: %s", v.Package, v.Import, v.Reason)
}

// Check returns everything in pkgs that goes against the diagram or a ban, in
// the order of pkgs.
func Check(diagram []Layer, bans []Ban, pkgs []Package) []Violation {
	var found []Violation
	for _, p := range pkgs {
		name, _ := under(p.ImportPath)
		rank := rankOf(diagram, name)
		if rank < 0 {
			found = append(found, Violation{Package: p.ImportPath, Reason: "not in the table of layers"})
			continue
		}
		for _, imp := range p.Imports {
			reason := misplaced(diagram, rank, imp)
			if reason == "" && banned(bans, name, imp) {
				reason = "banned here"
			}
			if reason != "" {
				found = append(found, Violation{Package: p.ImportPath, Import: imp, Reason: reason})
			}
		}
	}
	return found
}

// misplaced tells why a package of the given rank may not import imp, or
// nothing. Ranks count downwards.
func misplaced(diagram []Layer, rank int, imp string) string {
	name, ours := under(imp)
	if !ours {
		return ""
	}
	switch to := rankOf(diagram, name); {
	case to < 0:
		return "not in the table of layers"
	case to == rank:
		return "both are in layer " + diagram[to].Name
	case to < rank:
		return fmt.Sprintf("upwards, from layer %s to %s", diagram[rank].Name, diagram[to].Name)
	}
	return ""
}

// banned reports whether a ban keeps imp out of the package called name.
func banned(bans []Ban, name, imp string) bool {
	return slices.ContainsFunc(bans, func(b Ban) bool {
		concerned := len(b.In) == 0 || matchesAny(b.In, name)
		return concerned && !matchesAny(b.Except, name) && matchesAny(b.Imports, imp)
	})
}

// rankOf returns the index of the layer that names a package, or -1.
func rankOf(diagram []Layer, name string) int {
	return slices.IndexFunc(diagram, func(l Layer) bool { return matchesAny(l.Packages, name) })
}

// under cuts the module's path off an import path and reports whether it was
// there.
func under(path string) (string, bool) {
	if path == Module {
		return ".", true
	}
	return strings.CutPrefix(path, Module+"/")
}

// matchesAny reports whether one of the patterns is path itself or, ending in
// "/...", a folder that path lies under.
func matchesAny(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		folder, tree := strings.CutSuffix(pattern, "/...")
		return path == folder || tree && strings.HasPrefix(path, folder+"/")
	})
}
