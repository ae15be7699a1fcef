package dns

import (
	"context"
	"net/netip"
	"sync"

	"golang.org/x/net/dns/dnsmessage"
)

// An Answer is what a lookup found for one type.
type Answer struct {
	Type     dnsmessage.Type
	Addrs    []netip.Addr // of TypeA and TypeAAAA, in the server's order
	Services []Service    // of TypeHTTPS and TypeSVCB, in the server's order
	Err      error        // a *net.DNSError if there is neither
}

func (a Answer) positive() bool { return len(a.Addrs) > 0 || len(a.Services) > 0 }

// Lookup looks for host, and calls answer once for each type, from the calling
// goroutine, when it is known. The queries are sent right after one another in
// the order of types. Those for TypeHTTPS and TypeSVCB have prefix before the
// name (RFC 9460 section 2.3).
//
// Of the names that the search list makes of host, the first counts that has
// anything of what was asked: no two answers are of different names. Lookup
// returns when it has answered for every type, or when ctx is done: then with
// its cause, and without answers for the rest.
func (c *Client) Lookup(ctx context.Context, host, prefix string, types []dnsmessage.Type, answer func(Answer)) error {
	tell := func(a Answer) {
		a.Err = rename(a.Err, host)
		answer(a)
	}
	if as := special(host, types); as != nil {
		deliver(tell, as)
		return nil
	}
	failed := make([]Answer, len(types)) // by type, of the name that tells most
	for i, typ := range types {
		failed[i] = Answer{Type: typ, Err: notFound("")}
	}
	for _, name := range c.cfg.names(host) {
		found, as := c.lookup(ctx, name, prefix, types, tell)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if found {
			return nil
		}
		keepWorst(failed, as)
	}
	deliver(tell, failed)
	return nil
}

// lookup looks for one name. It holds negative answers back until there is a
// positive one, since the next name might have one; if there is none, it
// returns them.
func (c *Client) lookup(ctx context.Context, name, prefix string, types []dnsmessage.Type, answer func(Answer)) (found bool, held []Answer) {
	answers := make(chan Answer, len(types))
	for _, typ := range types {
		sent := make(chan struct{})
		done := sync.OnceFunc(func() { close(sent) })
		owner := name
		if typ == dnsmessage.TypeHTTPS || typ == dnsmessage.TypeSVCB {
			owner = prefix + name
		}
		go func() { // ends with the query, for whose answer the loop below waits
			defer done()
			answers <- c.query(ctx, owner, typ, done)
		}()
		<-sent
	}
	for range types {
		a := <-answers
		if ctx.Err() != nil {
			continue // what comes now says no more than that
		}
		if found = found || a.positive(); !found {
			held = append(held, a)
			continue
		}
		answer(a)
		deliver(answer, held)
		held = nil
	}
	return found, held
}

func deliver(answer func(Answer), as []Answer) {
	for _, a := range as {
		answer(a)
	}
}

// keepWorst replaces in kept what merely says that there is nothing by answers
// that could not be had: the host may exist then.
func keepWorst(kept, as []Answer) {
	for _, a := range as {
		for i := range kept {
			if kept[i].Type == a.Type && isNotFound(kept[i].Err) {
				kept[i] = a
			}
		}
	}
}
