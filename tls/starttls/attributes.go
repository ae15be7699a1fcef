package starttls

import (
	"context"
	"strings"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
)

var (
	// Plaintext tells why the negotiation did not start TLS. It is absent
	// where it did. Fixed.
	Plaintext = attr.New[*UnavailableError]("starttls.plaintext")

	// Capabilities are what the server says it can do: asked for under TLS, if
	// that is what the stream is under. Absent where the protocol has no such
	// thing or the server knows no command for it, and on the server's side.
	// Fixed.
	Capabilities = attr.New[CapabilityList]("starttls.capabilities")

	// Hello is the name that the client of [SMTP] or [LMTP] called itself by,
	// on the server's side. It is absent under TLS, where the client has to
	// say it again. Fixed.
	Hello = attr.New[string]("starttls.hello")
)

// A CapabilityList is what a server can do, one entry for each line or word in
// which it says so: "SIZE 10240000", "AUTH=PLAIN".
type CapabilityList []string

// Param returns what follows the name of a capability, without the space, and whether
// the server has it. Case does not matter.
func (c CapabilityList) Param(name string) (string, bool) {
	for _, entry := range c {
		word, param, _ := strings.Cut(entry, " ")
		if strings.EqualFold(word, name) {
			return param, true
		}
	}
	return "", false
}

// A layer carries the facts of a negotiation. It stands right below the buffer.
type layer struct {
	stream.Wrapper
	facts        attr.Set
	plaintext    *UnavailableError
	capabilities CapabilityList
	hello        string
	greeting     *MySQLGreeting
}

var layerFacts = attr.Define(
	attr.From(Plaintext, func(l *layer) (*UnavailableError, error) {
		return l.plaintext, presence(l.plaintext != nil)
	}),
	attr.From(Capabilities, func(l *layer) (CapabilityList, error) {
		return l.capabilities, presence(l.capabilities != nil)
	}),
	attr.From(Hello, func(l *layer) (string, error) {
		return l.hello, presence(l.hello != "")
	}),
	attr.From(Greeting, func(l *layer) (*MySQLGreeting, error) {
		return l.greeting, presence(l.greeting != nil)
	}),
)

func presence(there bool) error {
	if there {
		return nil
	}
	return attr.ErrNotFound
}

func newLayer(s stream.ByteStream) *layer {
	l := &layer{Wrapper: stream.Wrapper{ByteStream: s}}
	layerFacts.Init(&l.facts, l, s)
	return l
}

func (l *layer) Attributes() *attr.Set { return &l.facts }

// SendBuffers and TrySend are the stream's: unlike what else embeds a Wrapper,
// this changes no bytes.
func (l *layer) SendBuffers(ctx context.Context, bufs [][]byte) (int64, error) {
	return stream.SendBuffers(ctx, l.ByteStream, bufs)
}

func (l *layer) TrySend(p []byte) (int, error) { return stream.TrySend(l.ByteStream, p) }
