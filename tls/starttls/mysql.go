package starttls

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"strings"

	"golang.org/x/crypto/cryptobyte"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
)

// MySQL starts TLS in MySQL's protocol (its documentation, "Connection Phase", version
// 10 of the handshake), which MariaDB speaks as well.
type MySQL struct {
	// Capabilities are the flags of what the client can do, as its handshake
	// response will repeat them: some servers go by those from before TLS. CLIENT_SSL
	// and CLIENT_PROTOCOL_41 are always among them. Zero means these two with
	// CLIENT_SECURE_CONNECTION and CLIENT_PLUGIN_AUTH.
	Capabilities uint32

	// MaxPacket is the size of the largest packet that the client takes, in bytes.
	// Zero means 1<<24 - 1.
	MaxPacket uint32

	// Charset is the number of the client's collation. Zero means 45,
	// utf8mb4_general_ci.
	Charset uint8

	// Policy says what to do when the server does not do TLS.
	Policy Policy

	// TLS configures the handshake, as for tls.UpgradeClient. It may be nil.
	TLS *tls.Config

	// Options configure the stream under TLS. Nil means every default.
	Options *tls.Options

	// Limits bound the negotiation, Line the server's greeting.
	Limits Limits
}

// Greeting is what the server of [MySQL] greeted with. It came in plaintext, where
// anybody may have written it, and yet is here: the server does not say it again under
// TLS, and without the AuthData in it nobody can log in. Whether it was the server's
// shows at that: somebody who changes AuthData makes the login fail. The rest is a hint:
// do not let AuthPlugin talk you into a weaker way to log in than you would use anyway.
// It is absent with other protocols. Fixed.
var Greeting = attr.New[*MySQLGreeting]("starttls.greeting")

// A MySQLGreeting is the first packet of a server of MySQL's protocol. Its slices must not
// be modified.
type MySQLGreeting struct {
	ServerVersion string
	ConnectionID  uint32
	Capabilities  uint32
	Charset       uint8
	Status        uint16
	AuthPlugin    string // such as "caching_sha2_password"; empty where the server names none
	AuthData      []byte // what the answer to the challenge is made of, commonly 20 bytes

	// Raw is all of it as it came, without the packet's header of 4 bytes.
	Raw []byte
}

// The flags that matter here.
const (
	mysqlProtocol41       = 1 << 9
	mysqlSSL              = 1 << 11
	mysqlSecureConnection = 1 << 15
	mysqlPluginAuth       = 1 << 19
)

const (
	mysqlHeaderLen  = 4
	mysqlRequestLen = 32
	mysqlVersion    = 10
	mysqlMaxPacket  = 1<<24 - 1
	mysqlCharset    = 45
)

// Client negotiates as a client. The handshake response is for the caller to send, made
// from [Greeting], in a packet with the number 2 under TLS and 1 in plaintext. A server
// that sends an error in place of a greeting is a [*ReplyError].
func (p MySQL) Client(ctx context.Context, conn stream.ByteStream) (*buffered.Stream, error) {
	e := engine{"MySQL", p.Policy, p.TLS, p.Options, p.Limits, false}
	return e.negotiate(ctx, conn, func(ctx context.Context, ses *session) error {
		packet, err := ses.mysqlPacket(ctx)
		if err != nil {
			return hungUp(err)
		}
		greeting, ok := parseMySQLGreeting(packet)
		if !ok {
			return &ReplyError{To: "greeting", Reply: string(packet)}
		}
		if greeting.Capabilities&mysqlSSL == 0 {
			ses.layer.greeting = greeting
			return ses.unavailable(NotOffered, "")
		}
		if _, err := ses.s.Send(ctx, p.request()); err != nil {
			return err
		}
		// The server says nothing to that: it waits for the ClientHello.
		if err := ses.startClient(ctx); err != nil {
			return err
		}
		ses.layer.greeting = greeting
		return nil
	})
}

// request returns the SSLRequest.
func (p MySQL) request() []byte {
	capabilities := cmp.Or(p.Capabilities, mysqlSecureConnection|mysqlPluginAuth) | mysqlProtocol41 | mysqlSSL
	b := []byte{mysqlRequestLen, 0, 0, 1}
	b = binary.LittleEndian.AppendUint32(b, capabilities)
	b = binary.LittleEndian.AppendUint32(b, cmp.Or(p.MaxPacket, mysqlMaxPacket))
	b = append(b, cmp.Or(p.Charset, mysqlCharset))
	return append(b, make([]byte, mysqlHeaderLen+mysqlRequestLen-len(b))...)
}

// mysqlPacket receives the server's first packet.
func (ses *session) mysqlPacket(ctx context.Context) ([]byte, error) {
	header, err := ses.s.Peek(ctx, mysqlHeaderLen)
	if err != nil {
		return nil, err
	}
	size := int(header[0]) | int(header[1])<<8 | int(header[2])<<16
	if number := header[3]; number != 0 || size > ses.limits.Line-mysqlHeaderLen {
		return nil, &ReplyError{To: "greeting", Reply: string(header)}
	}
	packet := make([]byte, mysqlHeaderLen+size)
	return packet[mysqlHeaderLen:], ses.s.ReceiveExactly(ctx, packet)
}

// parseMySQLGreeting takes a greeting apart. One that ends behind the lower half of the
// capabilities is allowed, as old servers send it.
func parseMySQLGreeting(packet []byte) (*MySQLGreeting, bool) {
	g := &MySQLGreeting{Raw: packet}
	s := cryptobyte.String(packet)
	var version uint8
	if !s.ReadUint8(&version) || version != mysqlVersion || !readNulTerminated(&s, &g.ServerVersion) {
		return nil, false
	}
	var id, first, lower []byte
	if !s.ReadBytes(&id, 4) || !s.ReadBytes(&first, 8) || !s.Skip(1) || !s.ReadBytes(&lower, 2) {
		return nil, false
	}
	g.ConnectionID = binary.LittleEndian.Uint32(id)
	g.Capabilities = uint32(binary.LittleEndian.Uint16(lower))
	g.AuthData = first
	if s.Empty() {
		return g, true
	}
	var status, upper []byte
	var size uint8
	if !s.ReadUint8(&g.Charset) || !s.ReadBytes(&status, 2) || !s.ReadBytes(&upper, 2) || !s.ReadUint8(&size) || !s.Skip(10) {
		return nil, false
	}
	g.Status = binary.LittleEndian.Uint16(status)
	g.Capabilities |= uint32(binary.LittleEndian.Uint16(upper)) << 16
	return g, g.readAuth(&s, int(size))
}

// readAuth reads the rest of AuthData, which has size bytes in all, and AuthPlugin.
func (g *MySQLGreeting) readAuth(s *cryptobyte.String, size int) bool {
	if g.Capabilities&mysqlSecureConnection != 0 {
		var second []byte
		if !s.ReadBytes(&second, max(13, size-len(g.AuthData))) {
			return false
		}
		// A zero behind it belongs to the protocol, not to the data.
		second = bytes.TrimSuffix(second, []byte{0})
		g.AuthData = append(g.AuthData[:len(g.AuthData):len(g.AuthData)], second...)
	}
	if g.Capabilities&mysqlPluginAuth == 0 {
		return true
	}
	if !readNulTerminated(s, &g.AuthPlugin) {
		// Some servers leave out the zero at the very end.
		g.AuthPlugin = string(*s)
	}
	return true
}

// readNulTerminated reads up to a zero, which has to be there.
func readNulTerminated(s *cryptobyte.String, out *string) bool {
	before, _, ok := strings.Cut(string(*s), "\x00")
	if ok {
		*out = before
		s.Skip(len(before) + 1)
	}
	return ok
}
