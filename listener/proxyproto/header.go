package proxyproto

import (
	"bytes"
	"net"
	"strings"
)

// A Header tells whom a proxy opened a connection for. It is not changed once
// it was received.
type Header struct {
	// Version is 1 or 2, the text and the binary form. Zero means 2.
	Version int

	// Local marks a connection that the proxy opened for itself, as for a
	// health check. It has no addresses. Version 1 has no such mark: the
	// header then says that the origin is unknown.
	Local bool

	// Source is the client's address, and Destination the one that it
	// connected to: a *net.TCPAddr, *net.UDPAddr or *net.UnixAddr each. Both
	// are nil when the proxy does not tell; a server may refuse that, as
	// HAProxy does in version 2. Version 1 knows TCP alone, and calls
	// everything else unknown.
	Source, Destination net.Addr

	// TLVs is what else there is to tell, in order. Version 1 leaves it out.
	TLVs []TLV
}

// Value returns the value of the first TLV of type t, and whether there is
// one.
func (h *Header) Value(t Type) ([]byte, bool) {
	for _, v := range h.TLVs {
		if v.Type == t {
			return v.Value, true
		}
	}
	return nil, false
}

// Append appends the header to dst as it is sent. It is an error if the
// protocol cannot say what h says.
func (h *Header) Append(dst []byte) ([]byte, error) {
	switch h.Version {
	case 1:
		return h.appendV1(dst)
	case 0, 2:
		return h.appendV2(dst)
	}
	return dst, unsendable("no version %d", h.Version)
}

// maxShown is how many bytes of what is not a header an error shows.
const maxShown = 16

// parse returns the header that p begins with and its length. Without a header
// and an error the length is how many bytes it takes to tell.
func parse(p []byte) (*Header, int, error) {
	switch {
	case begins(p, signatureV2):
		return parseV2(p)
	case begins(p, signatureV1):
		return parseV1(p)
	}
	return nil, 0, &HeaderError{Reason: "no header", First: bytes.Clone(p[:min(len(p), maxShown)])}
}

// begins tells whether p is how something with that signature may begin.
func begins(p []byte, signature string) bool {
	if len(p) < len(signature) {
		return strings.HasPrefix(signature, string(p))
	}
	return string(p[:len(signature)]) == signature
}
