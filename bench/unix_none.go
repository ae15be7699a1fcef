//go:build !unix

package main

// unixCases need descriptors to pass.
var unixCases []benchCase
