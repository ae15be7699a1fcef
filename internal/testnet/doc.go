// Package testnet gives tests a network of their own: a host in namespaces that
// nobody else sees, with the addresses, the firewall and the DNS that a test
// wants.
//
// A program that needs one runs itself again in new namespaces with [Run]; there
// [Up] makes the [Host]. Both say [ErrUnavailable] where the machine does not
// allow it or lacks the programs ip (iproute2) and nft (nftables). Linux only.
//
// [Scenarios] are networks as applications meet them, good and bad, with the
// time that RFC 8305 gives a connection in each.
package testnet
