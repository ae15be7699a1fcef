// Package testnet gives tests a network of their own, and one that is as bad as
// a test wants it.
//
// [Faults] lose, delay, reorder and duplicate packets. A [Switch] has them
// between sockets in memory, which run in the fake time of testing/synctest; a
// [Relay] has them in front of a UDP server on this machine. Both can move a
// client to another port, like a NAT that forgot about it.
//
// A [Host] is a machine in namespaces that nobody else sees, with the addresses,
// the firewall and the DNS that a test wants. A program that needs one runs
// itself again in new namespaces with [Run], a test with [RunTest]; there [Up] or
// [UpServices] makes the [Host]. All say [ErrUnavailable] where the machine does not
// allow it or lacks the programs ip (iproute2) and nft (nftables). Linux only.
//
// [Scenarios] are networks as applications meet them, good and bad, with the
// time that RFC 8305 gives a connection in each. [Services] are the same for
// services over QUIC and TCP, and for the successor of that RFC.
package testnet
