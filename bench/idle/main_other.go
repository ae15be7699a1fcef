//go:build !unix

package main

func main() { panic("idle: Unix only") }
