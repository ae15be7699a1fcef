// Package layers holds the module to its layer diagram: which package may
// import which. [Diagram] is the table as data, [Check] compares packages with
// it, and the test of this package runs Check over what `go list` tells of the
// module, for several operating systems.
//
// Only the imports of the packages themselves count. Tests may import what
// they like.
package layers
