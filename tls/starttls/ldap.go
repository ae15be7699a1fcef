package starttls

import (
	"context"
	"encoding/binary"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
)

// LDAP starts TLS in LDAP (RFC 4511 section 4.14).
type LDAP struct {
	// Policy says what to do when the server does not do TLS.
	Policy Policy

	// TLS configures the handshake, as for tls.UpgradeClient. It may be nil.
	TLS *tls.Config

	// Options configure the stream under TLS. Nil means every default.
	Options *tls.Options

	// Limits bound the negotiation, Line the server's answer.
	Limits Limits
}

// The parts of the two messages (RFC 4511 section 4.12).
const (
	ldapStartTLS  = "1.3.6.1.4.1.1466.20037"
	ldapMessageID = 1

	ldapExtendedRequest  = asn1.Tag(0x77) // [APPLICATION 23]
	ldapRequestName      = asn1.Tag(0x80) // [0]
	ldapExtendedResponse = 0x78           // [APPLICATION 24]
	ldapSequence         = 0x30
	ldapInteger          = 0x02
	ldapEnumerated       = 0x0a
	ldapOctets           = 0x04
)

// Client negotiates as a client. Its message has the ID 1. Whatever result is no
// success counts as a refusal, a referral too, which is not followed.
func (p LDAP) Client(ctx context.Context, conn stream.ByteStream) (*buffered.Stream, error) {
	e := engine{"LDAP", p.Policy, p.TLS, p.Options, p.Limits, false}
	return e.negotiate(ctx, conn, func(ctx context.Context, ses *session) error {
		if _, err := ses.s.Send(ctx, ldapRequest()); err != nil {
			return err
		}
		message, err := ses.berMessage(ctx)
		if err != nil {
			return hungUp(err)
		}
		code, diagnostic, ok := ldapResult(message)
		switch {
		case !ok:
			return &ReplyError{To: "StartTLS", Reply: string(message)}
		case code != 0:
			return ses.unavailable(Refused, fmt.Sprintf("%d %s", code, diagnostic))
		}
		return ses.startClient(ctx)
	})
}

func ldapRequest() []byte {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(ldapMessageID)
		b.AddASN1(ldapExtendedRequest, func(b *cryptobyte.Builder) {
			b.AddASN1(ldapRequestName, func(b *cryptobyte.Builder) { b.AddBytes([]byte(ldapStartTLS)) })
		})
	})
	return b.BytesOrPanic() // it cannot become too long
}

// berMessage receives one element of BER, a sequence of a definite length.
func (ses *session) berMessage(ctx context.Context) ([]byte, error) {
	header, err := ses.s.Peek(ctx, 2)
	if err != nil {
		return nil, err
	}
	if header[0] != ldapSequence {
		return nil, &ReplyError{To: "StartTLS", Reply: string(header)}
	}
	if more := int(header[1]) - 0x80; more > 0 && more <= 4 {
		if header, err = ses.s.Peek(ctx, 2+more); err != nil {
			return nil, err
		}
	}
	size, ok := berLength(header[1], header[2:])
	if !ok || size > ses.limits.Line-len(header) {
		return nil, &ReplyError{To: "StartTLS", Reply: string(header)}
	}
	message := make([]byte, len(header)+size)
	return message[len(header):], ses.s.ReceiveExactly(ctx, message)
}

// berLength returns the length that a byte and those behind it tell. Longer forms
// than need be are allowed, as some servers use them throughout.
func berLength(first byte, more []byte) (int, bool) {
	if first < 0x80 {
		return int(first), true
	}
	n := int(first & 0x7f)
	if n == 0 || n > 4 || n > len(more) {
		return 0, false
	}
	var padded [4]byte
	copy(padded[4-n:], more[:n])
	length := binary.BigEndian.Uint32(padded[:])
	return int(length), length < 1<<31
}

// ldapResult takes apart the message with the response to StartTLS.
func ldapResult(message []byte) (code int, diagnostic string, ok bool) {
	id, rest, ok := berElement(message, ldapInteger)
	if !ok || len(id) == 0 || len(id) > 4 || berInteger(id) != ldapMessageID {
		return 0, "", false
	}
	response, _, ok := berElement(rest, ldapExtendedResponse)
	if !ok {
		return 0, "", false
	}
	result, rest, ok := berElement(response, ldapEnumerated)
	if !ok || len(result) == 0 || len(result) > 2 {
		return 0, "", false
	}
	_, rest, ok = berElement(rest, ldapOctets) // matchedDN
	if !ok {
		return 0, "", false
	}
	text, _, ok := berElement(rest, ldapOctets)
	return berInteger(result), string(text), ok
}

// berElement takes an element with the given tag off b.
func berElement(b []byte, tag byte) (content, rest []byte, ok bool) {
	if len(b) < 2 || b[0] != tag {
		return nil, nil, false
	}
	size, ok := berLength(b[1], b[2:])
	start := 2
	if b[1] > 0x80 {
		start += int(b[1] & 0x7f)
	}
	if !ok || size > len(b)-start {
		return nil, nil, false
	}
	return b[start : start+size], b[start+size:], true
}

func berInteger(b []byte) int {
	n := 0
	for _, c := range b {
		n = n<<8 | int(c)
	}
	return n
}
