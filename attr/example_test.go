package attr_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/strata-go/strata/attr"
)

// What the layers of the examples know.
var (
	// Version is the version of the protocol that was agreed on. Fixed.
	Version = attr.New[string]("proto.version")

	// Client is the address of the client, which a proxy in between may have
	// told. Fixed.
	Client = attr.New[string]("proto.client")

	// SessionKey is the key of the session. Fixed.
	SessionKey = attr.NewSecret[[]byte]("proto.session_key")
)

// A Socket is the innermost layer.
type Socket struct {
	facts attr.Set
	peer  string
}

var socketFacts = attr.Define(
	attr.Value(Client, func(s *Socket) string { return s.peer }),
)

func NewSocket(peer string) *Socket {
	s := &Socket{peer: peer}
	socketFacts.Init(&s.facts, s)
	return s
}

func (s *Socket) Attributes() *attr.Set { return &s.facts }

// A Session is a layer over another. What the proxy did not tell is absent.
type Session struct {
	facts  attr.Set
	client string
	key    []byte
}

var sessionFacts = attr.Define(
	attr.Value(Version, func(*Session) string { return "2.0" }),
	attr.Value(SessionKey, func(s *Session) []byte { return s.key }),
	attr.From(Client, func(s *Session) (string, error) {
		if s.client == "" {
			return "", attr.ErrNotFound // ask the layer below
		}
		return s.client, nil
	}),
)

func NewSession(inner attr.Provider, client string) *Session {
	s := &Session{client: client, key: []byte("secret")}
	sessionFacts.Init(&s.facts, s, inner)
	return s
}

func (s *Session) Attributes() *attr.Set { return &s.facts }

func ExampleKey_Get() {
	conn := NewSession(NewSocket("192.0.2.1:80"), "")
	version, err := Version.Get(conn)
	fmt.Println(version, err)
	client, err := Client.Get(conn)
	fmt.Println(client, err)
	_, err = Version.Get(NewSocket("192.0.2.1:80"))
	fmt.Println(err, errors.Is(err, attr.ErrNotFound))
	// Output:
	// 2.0 <nil>
	// 192.0.2.1:80 <nil>
	// attr: no layer has proto.version true
}

func ExampleKey_Lookup() {
	if version, ok := Version.Lookup(NewSession(NewSocket("192.0.2.1:80"), "")); ok {
		fmt.Println("speaks", version)
	}
	// Output: speaks 2.0
}

func ExampleKey_All() {
	conn := NewSession(NewSocket("192.0.2.1:80"), "198.51.100.7:4711")
	for client, err := range Client.All(conn) {
		fmt.Println(client, err)
	}
	// Output:
	// 198.51.100.7:4711 <nil>
	// 192.0.2.1:80 <nil>
}

func ExampleAll() {
	conn := NewSession(NewSocket("192.0.2.1:80"), "198.51.100.7:4711")
	for e := range attr.All(conn) {
		fmt.Println(e, e.Shadowed())
	}
	// Output:
	// proto.version=2.0 (*attr_test.Session) false
	// proto.session_key=[secret] (*attr_test.Session) false
	// proto.client=198.51.100.7:4711 (*attr_test.Session) false
	// proto.client=192.0.2.1:80 (*attr_test.Socket) true
}

func ExampleMerge() {
	output, input := NewSocket("192.0.2.1:80"), NewSession(nil, "198.51.100.7:4711")
	both := attr.Merge(output, input)
	client, err := Client.Get(both)
	fmt.Println(client, err)
	version, err := Version.Get(both)
	fmt.Println(version, err)
	// Output:
	// 192.0.2.1:80 <nil>
	// 2.0 <nil>
}

func ExampleLogValue() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	logger.Info("accepted", "conn", attr.LogValue(NewSession(NewSocket("192.0.2.1:80"), "")))
	// Output:
	// level=INFO msg=accepted conn.proto.version=2.0 conn.proto.client=192.0.2.1:80
}

func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}
