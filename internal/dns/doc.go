// Package dns asks DNS servers for addresses and services, and tells what they
// answer as it comes.
//
// A [Client] goes by a [Config], which [ReadConfig] takes from resolv.conf(5):
// servers, the search list, ndots, timeout, attempts. [Client.Lookup] sends a
// query for each type at the same time, over UDP and over TCP where an answer
// does not fit, and hands over an [Answer] for each.
//
// Every query has a random ID and, from the kernel, a random port; what comes
// back counts only if it is from the server asked, has that ID, and repeats
// the question. Answers are followed through aliases and not cached.
//
// This is a stub resolver: it needs servers that resolve recursively. It does
// not read /etc/hosts, knows no other source of names, and leaves DNSSEC to
// the servers.
package dns
